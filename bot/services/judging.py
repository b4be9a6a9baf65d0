"""Doubtful ratings of users, and what admins say of them: right, wrong, or another rating."""

import asyncio
from dataclasses import dataclass, field
from enum import Enum, auto
from hashlib import sha256

from sqlalchemy.ext.asyncio import AsyncSession

from bot.clock import Clock
from bot.services.periods import Span
from bot.services.shared_phrases import SharedPhrase, shared_phrases
from classifier.labels import sentiment_of
from db import admin_actions, judgements, users
from db.doubts import Doubt, Doubts
from db.engine import Sessions
from db.judgements import Standing

JUDGE, TAKE_BACK = "judge", "take back judgement"
"""The actions, as the record of the admins' actions names them."""

_GROUPS = 5  # that a message shows
_ROW = 5  # doubtful ratings, at least, that make a person's row
_AT_ONCE = 5000  # ratings that one tap judges; those left are there to be tapped again
_DOUBTFUL_TEXTS, _OTHER_TEXTS = 300, 600  # newest, in which phrases are looked for
_LONGEST_SOUGHT = 1000  # characters of a phrase
_NAMED = 3  # reviews by which an admin finds a group


class Kind(Enum):
    """Which list; the value stands for it in a button."""

    DOUBTFUL = "s"
    JUDGED = "j"


class Word(Enum):
    """What an admin may say without naming a rating; the value stands for it in a button."""

    RIGHT = "r"
    WRONG = "w"


Verdict = Word | int
"""An int is the true rating, 0 to 10."""


@dataclass(frozen=True)
class Group:
    """Ratings that are one thing: a person's doubtful ones, or those of reviews with one phrase.

    Of the latter most are doubtful. All are in the group: what is left of a planted phrase would
    still teach it.
    """

    ratings: tuple[int, ...]  # their ids
    reviews: tuple[int, ...]  # some of them, by which an admin finds the others
    doubtful: int
    of: int  # how many ratings the person gave, or reviews with the phrase got
    phrase: str = ""  # "" for a person's row
    persons: int = 1

    @property
    def key(self) -> str:
        """Names it in a button, and no other group: one more rating makes another group of it."""
        return sha256(repr(sorted(self.ratings)).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class DoubtsPage:
    kind: Kind
    span: Span
    number: int  # from 1; 0 shows the groups
    count: int  # of the ratings, each of which has a page
    groups: tuple[Group, ...] = ()
    doubt: Doubt | None = None
    has_groups: bool = False  # there is a page 0


class NotJudged(Enum):
    GONE = auto()  # the rating is erased
    CHANGED = auto()  # its user has changed it since the admin saw it
    JUDGED = auto()  # an admin has said something, or taken it back
    OTHER_GROUP = auto()  # the group's ratings are not those that the admin saw
    NOT_STANDING = auto()  # what is to be taken back does not stand any more


@dataclass(frozen=True)
class Done:
    action_id: int
    ratings: int  # how many were judged, or taken back
    verdict: Verdict | None = None  # None where a word was taken back


@dataclass(frozen=True)
class Seen:
    """A rating as the admin saw it who judges it."""

    review_id: int
    given: int
    judgement_id: int  # 0 for none


@dataclass(frozen=True)
class Admin:
    id: int
    language: str


@dataclass
class Judging:
    write: Sessions
    read: Sessions
    clock: Clock
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def page(self, kind: Kind, span: Span, number: int) -> DoubtsPage:
        """A page, or the last one there is; page 0 is the groups', if there are any."""
        async with self.read() as session:
            found = self._doubts(session, span)
            groups: tuple[Group, ...] = ()
            if kind is Kind.DOUBTFUL and number <= 1:
                groups = await self._groups(found)
            counting = found.count() if kind is Kind.DOUBTFUL else found.count_judged()
            count = await counting
            if number == 0 and groups:
                return DoubtsPage(kind, span, 0, count, groups, has_groups=True)
            number = max(1, min(number, count))
            reading = found.first if kind is Kind.DOUBTFUL else found.judged
            doubt = next(iter(await reading(1, number - 1)), None)
            is_first = kind is Kind.DOUBTFUL and number > 1
            return DoubtsPage(
                kind, span, number, count, doubt=doubt, has_groups=bool(groups) or is_first
            )

    async def judge(self, seen: Seen, verdict: Verdict, admin: Admin) -> Done | NotJudged:
        """Say something of a rating, unless it is not what the admin saw."""
        async with self.write.begin() as session:
            standing = await judgements.by_author(session, seen.review_id)
            if standing is None:
                return NotJudged.GONE
            if standing.feedback.rating != seen.given:
                return NotJudged.CHANGED
            if (standing.judgement.id if standing.judgement else 0) != seen.judgement_id:
                return NotJudged.JUDGED
            return await self._judge(session, [standing], verdict, admin)

    async def judge_group(self, key: str, span: Span, word: Word, admin: Admin) -> Done | NotJudged:
        """Say the same of all ratings of a group, unless they are not those of the key any more."""
        async with self.read() as session:
            groups = await self._groups(self._doubts(session, span))
        group = next((group for group in groups if group.key == key), None)
        if group is None:
            return NotJudged.OTHER_GROUP
        async with self.write.begin() as session:
            standing = await judgements.of(session, group.ratings)
            if len(standing) != len(group.ratings) or any(each.judgement for each in standing):
                return NotJudged.OTHER_GROUP
            return await self._judge(session, standing, word, admin)

    async def take_back(self, action_id: int, admin: Admin) -> Done | NotJudged:
        """Undo a word on ratings, of any admin; where another was said since, that one stands."""
        now = self.clock()
        async with self.write.begin() as session:
            if not await judgements.is_known(session, action_id):
                return NotJudged.GONE
            taken = await judgements.take_back(session, action_id)
            if not taken:
                return NotJudged.NOT_STANDING
            await users.seen(session, admin.id, admin.language, now)
            details = {"action": action_id, "ratings": taken}
            await admin_actions.add(session, admin.id, TAKE_BACK, now, details)
            return Done(action_id, taken)

    async def _judge(
        self, session: AsyncSession, standing: list[Standing], verdict: Verdict, admin: Admin
    ) -> Done:
        now = self.clock()
        await users.seen(session, admin.id, admin.language, now)  # the record names a user
        # Nothing of whose ratings they are: the record outlives their erasure.
        said = verdict.name.lower() if isinstance(verdict, Word) else "another rating"
        details = {"word": said, "ratings": len(standing)}
        action = await admin_actions.add(session, admin.id, JUDGE, now, details)
        true = [(each, _rating(verdict, each.feedback.rating)) for each in standing]
        await judgements.add(session, true, action.id, now)
        return Done(action.id, len(standing), verdict)

    async def _groups(self, found: Doubts) -> tuple[Group, ...]:
        """Those with the most ratings, of each kind."""
        rows = []
        for rater in (await found.raters(_ROW))[:_GROUPS]:
            ids = await found.doubtful_of(rater.user_id, _AT_ONCE)
            if ids:
                ratings, reviews = zip(*ids, strict=True)
                rows.append(Group(ratings, reviews[:_NAMED], len(ratings), rater.ratings))
        doubtful = await found.doubtful_texts(_DOUBTFUL_TEXTS)
        others = await found.other_texts(_OTHER_TEXTS) if doubtful else ()
        async with self._reading:  # one at a time: it is a second of work at most
            shared = await asyncio.to_thread(shared_phrases, doubtful, others)
        return (*[await _phrase_group(found, each) for each in shared[:_GROUPS]], *rows)

    def _doubts(self, session: AsyncSession, span: Span) -> Doubts:
        return Doubts(session, span.before(self.clock()), sentiment_of)


def _rating(verdict: Verdict, given: int) -> int | None:
    if isinstance(verdict, int):
        return verdict
    return given if verdict is Word.RIGHT else None


async def _phrase_group(found: Doubts, shared: SharedPhrase) -> Group:
    doubtful = {text.feedback_id: text.review_id for text in shared.texts}
    # As it is written; whoever writes it otherwise is found as doubtful.
    verbatim = dict(await found.with_phrase(shared.phrase[:_LONGEST_SOUGHT], _AT_ONCE))
    together = doubtful | verbatim
    reviews = tuple(doubtful.values())[:_NAMED]
    return Group(
        tuple(together), reviews, len(doubtful), len(together), shared.phrase, shared.persons
    )
