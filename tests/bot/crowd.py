"""A crowd in the local chat: people with ids of their own, and a time that passes when told to."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import count

import httpx
import pytest
from telegram import Message

from bot.local import people
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

    _seeds = count(1000)

    def __init__(self, http: httpx.AsyncClient, user: int, *, lies: bool = False) -> None:
        super().__init__(http, user)
        self.lies = lies
        self._rows = iter(tiny.make_rows(500, seed=next(Viewer._seeds), rated=1.0))
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
