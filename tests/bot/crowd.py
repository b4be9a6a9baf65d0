"""A crowd in the local chat: people with ids of their own, and a time that passes when told to."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from telegram import Message

from bot.local import people
from bot.services.feedback import Draw
from db import feedback, installation, reviews, users
from db.engine import Sessions
from db.feedback import Given
from db.models import Review
from tests import tiny
from tests.bot.local_client import Person
from tests.bot.talking import rating_data


class Time:
    """The clock of the bot and of the local server."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 9, tzinfo=UTC)  # a Monday

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **time: float) -> None:
        self.now += timedelta(**time)


def invite(patch: pytest.MonkeyPatch, user_ids: Iterable[int]) -> None:
    """Let these users into the local chat, before its server is made."""
    for user_id in user_ids:
        user = {
            "id": user_id,
            "is_bot": False,
            "first_name": f"Зритель {user_id}",
            "language_code": "ru",
        }
        chat = {"id": user_id, "type": "private", "first_name": user["first_name"]}
        patch.setitem(people.USERS, user_id, user)
        patch.setitem(people.CHATS, user_id, chat)
        patch.setitem(people.MEMBERS, user_id, frozenset([user_id]))


class Viewer(Person):
    """Writes reviews of films, and rates the answers: truly, or just the opposite."""

    def __init__(self, http: httpx.AsyncClient, user: int, *, lies: bool = False) -> None:
        super().__init__(http, user)
        self.lies = lies
        self._rows = iter(tiny.make_rows(500, seed=user, rated=1.0))
        self.written: list[str] = []

    async def review(self, *, rate: bool = True) -> Message:
        """Write one, and rate it; the answer."""
        row = next(self._rows)
        self.written.append(str(row["content"]))
        answer = await self.ask(self.written[-1])
        if rate:
            rating = round(float(row["grade10"]))
            toast = await self.rate(answer, 10 - rating if self.lies else rating)
            assert toast.startswith("Записано")
        return answer

    async def rate(self, answer: Message, rating: int) -> str:
        """Tap on a rating; the toast."""
        return await self.tap_and_wait(answer.message_id, rating_data(answer, rating))

    async def forget(self) -> None:
        """Have everything erased."""
        question = await self.ask("/forget")
        await self.tap(question.message_id, "forget:yes")
        await self.edited(question.message_id, question)
        self.written.clear()


async def rate_long_ago(
    write: Sessions, now: datetime, user_ids: Sequence[int], each: int, *, lies: bool = False
) -> None:
    """So many reviews by each user, sent days ago, before there was an answer, and rated now."""
    sent = now - timedelta(days=10)
    rows = tiny.make_rows(each * len(user_ids), seed=user_ids[0] + each, rated=1.0)
    async with write.begin() as session:
        draw = Draw(await installation.secret(session))
        for number, row in enumerate(rows):
            user_id, text = user_ids[number % len(user_ids)], str(row["content"])
            await users.seen(session, user_id, "ru", sent)
            review = Review(
                user_id=user_id,
                chat_id=user_id,
                message_id=number,
                update_id=1000 * user_ids[0] + number,
                text=text,
                source="private",
                reply_message_id=None,
                created_at=sent,
            )
            await reviews.add(session, review)
            rating = round(float(row["grade10"]))
            await feedback.rate(
                session,
                Given(
                    review.id,
                    user_id,
                    10 - rating if lies else rating,
                    asked=False,
                    held_out=draw.is_held_out(user_id, text),
                ),
                now,
            )
