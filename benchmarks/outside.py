"""The load from outside: people who write to the bot at a given rate, and what they see of it.

The reviews come at random times (a Poisson process), whether or not the bot has answered the last
ones. Each is one message.
"""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bot.clock import utc_now
from bot.local.people import BOT, CHATS, LOCAL_ADMIN_ID, MEMBERS, USERS, Json
from bot.local.server import LOCAL_TOKEN, LocalServer
from bot.local.state import State
from bot.local.text import TEXT, cleaned, text_fields
from bot.texts import reasons
from classifier.errors import ClassifierError

PEOPLE = range(5_001, 5_301)
"""So many that nobody's own limit is met: a chat may get one answer a second."""


@dataclass
class Told:
    """What became of the reviews of a time."""

    sent: dict[int, float] = field(default_factory=dict)  # when, by message
    answered: dict[int, float] = field(default_factory=dict)
    turned_away: set[int] = field(default_factory=set)  # told to come again later
    asked_why: set[int] = field(default_factory=set)  # answers whose reasons were asked for
    explained: set[int] = field(default_factory=set)
    longest_queue: int = 0

    @property
    def waiting(self) -> int:
        return len(self.sent) - len(self.answered) - len(self.turned_away)

    def figures(self) -> dict[str, Any]:
        """p50 and p95 count a review without an answer as one that took for ever: None.

        Raises ClassifierError where no review was sent.
        """
        if not self.sent:
            raise ClassifierError("No review was sent in that time: give it more --seconds.")
        took = [self.answered.get(message, np.inf) - when for message, when in self.sent.items()]
        p50, p95 = (float(np.percentile(took, share, method="inverted_cdf")) for share in (50, 95))
        return {
            "sent": len(self.sent),
            "answered": len(self.answered),
            "turned_away": len(self.turned_away),
            "p50_ms": None if np.isinf(p50) else 1000 * p50,
            "p95_ms": None if np.isinf(p95) else 1000 * p95,
            "longest_queue": self.longest_queue,
            "asked_why": len(self.asked_why),
            "explained": len(self.explained),
        }


class _WatchedState(State):
    """The chats, of which each message of the bot's is noted."""

    told = Told()
    ask_why_every = 0  # answers; 0: never

    def post(self, chat_id: int, author: Json, content: Json, reply_to: Json | None) -> Json:
        posted = super().post(chat_id, author, content, reply_to)
        if author is BOT and reply_to is not None:
            self._note(reply_to["message_id"], chat_id, posted)
        return posted

    def _note(self, replied_to: int, user: int, posted: Json) -> None:
        told = self.told
        if replied_to in told.asked_why:
            told.explained.add(replied_to)
        if replied_to not in told.sent:
            return
        if "reply_markup" not in posted:  # to rate it; a refusal has none
            told.turned_away.add(replied_to)
            return
        told.answered.setdefault(replied_to, time.perf_counter())
        if self.ask_why_every and len(told.answered) % self.ask_why_every == 0:
            told.asked_why.add(posted["message_id"])
            self.tap(user, posted, reasons.BUTTON.ru)

    def tap(self, user: int, message: Json, label: str) -> None:
        """The button of this label."""
        rows = message["reply_markup"]["inline_keyboard"]
        data = next(one["callback_data"] for row in rows for one in row if one["text"] == label)
        self.add_query(USERS[user], user, message["message_id"], data)


class Outside:
    """The local Bot API server and its people, from `start` to `stop`."""

    def __init__(self, texts: Sequence[str], seed: int = 0) -> None:
        self._invite()
        self.server = LocalServer()
        self.server.state = self.state = _WatchedState(utc_now)
        self.token = LOCAL_TOKEN
        self._texts, self._chance = texts, random.Random(seed)

    async def start(self) -> None:
        await self.server.start()

    async def stop(self) -> None:
        await self.server.stop()
        for user_id in PEOPLE:
            del USERS[user_id], CHATS[user_id], MEMBERS[user_id]

    def write(self, user: int) -> Json:
        """A review by this person."""
        text = cleaned(self._chance.choice(self._texts))
        message = self.state.post(user, USERS[user], text_fields(TEXT, text), None)
        self.state.told.sent[message["message_id"]] = time.perf_counter()
        self.state.told.longest_queue = max(self.state.told.longest_queue, self.state.told.waiting)
        return message

    def say(self, user: int, text: str) -> None:
        """A command, or whatever is no review."""
        self.state.post(user, USERS[user], text_fields(TEXT, text), None)

    def said_by_bot(self, user: int) -> list[Json]:
        return [one for one in self.state.messages(user) if one["from"] is BOT]

    async def load(
        self,
        rate: float,
        seconds: float,
        patience: float,
        goes_on: Callable[[], bool] = lambda: False,
    ) -> Told:
        """Reviews at `rate` a second; what became of them within `patience` after the last one.

        They come for so many seconds, and then for as long as `goes_on`.
        """
        told = self.state.told = Told()
        began = due = time.perf_counter()
        while (due := due + self._chance.expovariate(rate)) < began + seconds or goes_on():
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            message = self.write(self._chance.choice(PEOPLE))
            told.sent[message["message_id"]] = due  # not later, should this process be slow
        await self.wait_for_answers(patience)
        return told

    async def wait_for_answers(self, patience: float) -> bool:
        """Whether all have come within so many seconds; reasons that were asked for are awaited."""
        give_up, told = time.perf_counter() + patience, self.state.told
        while told.waiting or told.explained < told.asked_why:
            if time.perf_counter() >= give_up:
                break
            await asyncio.sleep(0.02)
        return not told.waiting

    def _invite(self) -> None:
        for user_id in PEOPLE:
            USERS[user_id] = USERS[LOCAL_ADMIN_ID] | {"id": user_id}
            CHATS[user_id] = {"id": user_id, "type": "private", "first_name": "Зритель"}
            MEMBERS[user_id] = frozenset([user_id])
