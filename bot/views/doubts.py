"""Doubtful ratings in /errors: their pages, and what the buttons send."""

import re
from dataclasses import dataclass
from html import escape

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.services import periods
from bot.services.judging import Done, DoubtsPage, Group, Kind, NotJudged, Seen, Verdict, Word
from bot.texts import doubts as phrases
from bot.texts.locale import Locale, Phrase
from bot.texts.terms import SPANS
from bot.views.error_analysis import review_block, tabs
from classifier.explanation.quoting import quoted
from classifier.labels import RATINGS
from db.doubts import Doubt
from db.models import Judgement

# Numbers of at most 18 digits: whatever a forged tap sends fits the database's integers.
_ID = "[0-9]{1,18}"
_VERDICT = "[rw]|10|[0-9]"
_LIST = r"(?P<kind>[sj]):(?P<span>\w{2,3}):(?P<page>[0-9]{1,6})"
_TAPS = (
    rf"j:l:{_LIST}",
    rf"j:v:(?P<verdict>{_VERDICT}):(?P<review>{_ID}):(?P<given>10|[0-9]):(?P<seen>{_ID}):{_LIST}",
    rf"j:g:(?P<verdict>[rw]):(?P<group>[0-9a-f]{{12}}):{_LIST}",
    rf"j:u:(?P<action>{_ID}):{_LIST}",
)
TAPS = r"j:[lvgu]:[0-9a-z:]{1,60}"
_LONGEST = 2500  # characters of a review
_LONGEST_PHRASE = 90  # two lines on a phone


@dataclass(frozen=True)
class DoubtTap:
    """What a tap asks for: a page, or something else and then that page."""

    kind: Kind
    span: periods.Span
    page: int
    verdict: Verdict | None = None
    seen: Seen | None = None  # judge this rating
    group: str = ""  # or judge this group
    action: int | None = None  # or take this back


def doubt_tap(data: str) -> DoubtTap | None:
    """None for data that no button has."""
    match = next(filter(None, (re.fullmatch(pattern, data) for pattern in _TAPS)), None)
    if match is None or match["span"] not in periods.SPANS:
        return None
    found = match.groupdict()
    seen = None
    if found.get("review"):
        seen = Seen(int(found["review"]), int(found["given"]), int(found["seen"]))
    verdict: Verdict | None = None
    if said := found.get("verdict"):
        verdict = int(said) if said.isdigit() else Word(said)
    return DoubtTap(
        kind=Kind(match["kind"]),
        span=periods.SPANS[match["span"]],
        page=int(match["page"]),
        verdict=verdict,
        seen=seen,
        group=found.get("group") or "",
        action=int(found["action"]) if found.get("action") else None,
    )


def doubts_message(page: DoubtsPage, locale: Locale) -> str:
    doubtful = page.kind is Kind.DOUBTFUL
    title = locale(phrases.TITLE if doubtful else phrases.JUDGED_TITLE)
    head = f"<b>{title}</b> {locale(SPANS[page.span.name])}"
    if page.number == 0:
        groups = [_group(place, group, locale) for place, group in enumerate(page.groups, 1)]
        return "\n\n".join([head, locale(phrases.GROUPS, count=page.count), *groups])
    if page.doubt is None:
        return f"{head}\n\n{locale(phrases.NOTHING if doubtful else phrases.NOTHING_JUDGED)}"
    place = locale(phrases.PLACE, number=page.number, all=page.count)
    blocks = [f"{head}\n{place}", _doubt(page.doubt, locale)]
    return "\n\n".join([*blocks, locale(phrases.HOW)])


def doubts_keyboard(
    page: DoubtsPage, locale: Locale, done: Done | None = None
) -> InlineKeyboardMarkup:
    """`done`: what was just said, and can be taken back here."""
    here = f"{page.kind.value}:{page.span.name}:{page.number}"
    rows: list[list[InlineKeyboardButton]] = []
    if page.number == 0:
        for place, group in enumerate(page.groups, 1):
            labels = {
                Word.WRONG: locale(
                    phrases.BUTTON_ALL_WRONG, number=place, count=len(group.ratings)
                ),
                Word.RIGHT: locale(phrases.BUTTON_ALL_RIGHT, number=place),
            }
            rows.append(
                [
                    InlineKeyboardButton(
                        label, callback_data=f"j:g:{word.value}:{group.key}:{here}"
                    )
                    for word, label in labels.items()
                ]
            )
    elif page.doubt is not None:
        rows += _verdicts(page.doubt, here, locale)
    judgement = page.doubt.hard.judgement if page.doubt else None
    if done is not None and done.verdict is not None:
        rows.append(_taking_back(phrases.BUTTON_TAKE_BACK_LAST, done.action_id, here, locale))
    elif judgement is not None:
        rows.append(_taking_back(phrases.BUTTON_TAKE_BACK, judgement.action_id, here, locale))
    rows += [row for row in (_turning(page),) if row]
    return InlineKeyboardMarkup([*rows, *tabs(page.kind, page.span, locale)])


def toast_of(done: Done | NotJudged, locale: Locale) -> str:
    if isinstance(done, NotJudged):
        return locale(_NOT_JUDGED[done])
    if done.verdict is None:
        return locale(phrases.TOAST_TAKEN_BACK, count=done.ratings)
    if isinstance(done.verdict, int):
        return locale(phrases.TOAST_OTHER, rating=done.verdict)
    is_right = done.verdict is Word.RIGHT
    if done.ratings > 1:
        phrase = phrases.TOAST_ALL_RIGHT if is_right else phrases.TOAST_ALL_WRONG
        return locale(phrase, count=done.ratings)
    return locale(phrases.TOAST_RIGHT if is_right else phrases.TOAST_WRONG)


_NOT_JUDGED = {
    NotJudged.GONE: phrases.TOAST_GONE,
    NotJudged.CHANGED: phrases.TOAST_CHANGED,
    NotJudged.JUDGED: phrases.TOAST_JUDGED,
    NotJudged.OTHER_GROUP: phrases.TOAST_OTHER_GROUP,
    NotJudged.NOT_STANDING: phrases.TOAST_NOT_STANDING,
}


def _group(place: int, group: Group, locale: Locale) -> str:
    reviews = ", ".join(locale(phrases.REVIEW, number=number) for number in group.reviews)
    values = {"number": place, "doubtful": group.doubtful, "of": group.of, "reviews": reviews}
    if not group.phrase:
        return locale(phrases.PERSON, **values)
    shown = escape(quoted(group.phrase, _LONGEST_PHRASE))
    return locale(phrases.SHARED, persons=group.persons, shared=shown, **values)


def _doubt(doubt: Doubt, locale: Locale) -> str:
    hard, judgement = doubt.hard, doubt.hard.judgement
    lines = [review_block(hard._replace(given=hard.by_author), locale, _LONGEST)]
    if judgement is None:
        share = locale.percent(doubt.support / 100)
        lines.append(locale(phrases.SUPPORT, share=share))
    else:
        lines.append(_decision(judgement, locale))
        if hard.by_author != judgement.given:
            lines.append(locale(phrases.CHANGED_SINCE, rating=hard.by_author))
    return "\n".join(lines)


def _decision(judgement: Judgement, locale: Locale) -> str:
    date = locale.date(judgement.created_at)
    values = {"date": date, "given": judgement.given}
    if judgement.rating is None:
        return locale(phrases.IS_WRONG, **values)
    if judgement.rating == judgement.given:
        return locale(phrases.IS_RIGHT, **values)
    return locale(phrases.IS_OTHER, rating=judgement.rating, **values)


def _verdicts(doubt: Doubt, here: str, locale: Locale) -> list[list[InlineKeyboardButton]]:
    hard, judgement = doubt.hard, doubt.hard.judgement
    seen = f"{hard.review.id}:{hard.by_author}:{judgement.id if judgement else 0}"

    def button(label: str, verdict: str) -> InlineKeyboardButton:
        return InlineKeyboardButton(label, callback_data=f"j:v:{verdict}:{seen}:{here}")

    words = [
        button(locale(phrases.BUTTON_RIGHT), Word.RIGHT.value),
        button(locale(phrases.BUTTON_WRONG), Word.WRONG.value),
    ]
    half = RATINGS[:6], RATINGS[6:]
    return [words, *([button(str(rating), str(rating)) for rating in row] for row in half)]


def _taking_back(
    label: Phrase, action_id: int, here: str, locale: Locale
) -> list[InlineKeyboardButton]:
    return [InlineKeyboardButton(locale(label), callback_data=f"j:u:{action_id}:{here}")]


def _turning(page: DoubtsPage) -> list[InlineKeyboardButton]:
    def to(label: str, number: int) -> InlineKeyboardButton:
        data = f"j:l:{page.kind.value}:{page.span.name}:{number}"
        return InlineKeyboardButton(label, callback_data=data)

    first = 0 if page.has_groups else 1
    turning = [to("‹", page.number - 1)] if page.number > first else []
    return turning + ([to("›", page.number + 1)] if page.number < page.count else [])
