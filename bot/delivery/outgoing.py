"""How the bot's calls go out: each in its chat's turn, and after a group to where it has moved.

A chat's limit, and a wait that Telegram orders, hold up that chat's calls and no others. PTB's own
limiter makes all chats wait for one. PTB has one hook around each call, the rate limiter's.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from typing import Any

from aiolimiter import AsyncLimiter
from telegram.error import BadRequest, ChatMigrated, RetryAfter
from telegram.ext import BaseRateLimiter

ALL_CHATS = 30  # messages a second
PRIVATE = (60, 60.0)  # messages in so many seconds, all of them at once if need be
GROUP = (20, 60.0)

LONGEST_WAIT = 15.0
"""Seconds that a call waits for its turn; it is refused where it would be longer.

What waits keeps one of the places in which updates are handled. A refused one goes back to the
inbox, and takes no place until its time has come.
"""
MOST_WAITING = 3
"""This many calls wait for one chat's turn at most."""

RESERVED = "reserved"
"""As `rate_limit_args` of a call: its part of what all chats get is reserved, and it is refused
where it would have to wait for its chat."""

_MANY_TURNS = 1_000  # from this number on, those that hold nothing up are forgotten

Callback = Callable[..., Coroutine[Any, Any, Any]]
Json = dict[str, Any]

logger = logging.getLogger(__name__)


class Turn:
    """When the next call to one chat may be made, or the next of one kind that names no chat."""

    def __init__(self, limit: tuple[int, float] | None) -> None:
        """`limit`: so many calls in so many seconds."""
        self._interval, self._burst = (limit[1] / limit[0], limit[1]) if limit else (0.0, 0.0)
        self._full_at = 0.0  # when as many calls may be made at once as ever
        self._held_until = 0.0
        self._promised = 0.0
        self._waiting = 0

    @property
    def is_free(self) -> bool:
        """Whether nothing is lost if it is forgotten."""
        latest = max(self._full_at, self._held_until, self._promised)
        return not self._waiting and latest < time.monotonic()

    def hold(self, seconds: float) -> None:
        """Let no call begin before this time has passed."""
        self._held_until = max(self._held_until, time.monotonic() + seconds)

    async def wait(self, at_once: bool) -> None:
        """Wait until a call may be made; raises RetryAfter where that would take too long."""
        wait = self._seconds_left()
        if wait > 0 and (at_once or wait > LONGEST_WAIT or self._waiting >= MOST_WAITING):
            raise RetryAfter(self._promise(wait))
        self._waiting += 1
        try:
            while (wait := self._seconds_left()) > 0:
                await asyncio.sleep(wait)
        finally:
            self._waiting -= 1
        self._full_at = max(self._full_at, time.monotonic()) + self._interval

    def _seconds_left(self) -> float:
        free_at = max(self._full_at + self._interval - self._burst, self._held_until)
        return free_at - time.monotonic()

    def _promise(self, wait: float) -> timedelta:
        """When a call that can't wait here is to be made: each a little later than the last."""
        now = time.monotonic()
        self._promised = max(self._promised + min(self._interval, 1.0), now + wait)
        return timedelta(seconds=self._promised - now)


class Outgoing(BaseRateLimiter[str]):
    def __init__(
        self, moved: Callable[[int, int], Awaitable[None]], check: Callable[[], None]
    ) -> None:
        """`moved` is told the old and the new id of a group that became a supergroup.

        `check` raises where this process may not write to anybody at the moment.
        """
        self._moved, self._check = moved, check
        self._turns: dict[tuple[object, str], Turn] = {}
        self.share(1)

    def share(self, processes: int) -> None:
        """Leave the other processes of this bot as much of its limit as this one has."""
        self._all_chats = AsyncLimiter(max(1, ALL_CHATS / processes), 1)

    async def reserve(self) -> None:
        """Wait until there is room for one more message among those to all chats."""
        await self._all_chats.acquire()

    async def initialize(self) -> None:
        """Nothing."""

    async def shutdown(self) -> None:
        """Nothing."""

    async def process_request(
        self,
        callback: Callback,
        args: Any,
        kwargs: Json,
        endpoint: str,
        data: Json,
        rate_limit_args: str | None,
    ) -> Any:
        """Make a call, which `callback` does with `args`; `data` is what is sent, also in `args`.

        Raises RetryAfter where the call would have to wait for long.
        """

        async def call() -> Any:
            return await callback(*args, **kwargs)

        try:
            return await self._in_turn(call, endpoint, data, rate_limit_args)
        except ChatMigrated as error:
            await self._moved(int(data["chat_id"]), error.new_chat_id)
            if not endpoint.startswith("send"):  # the message to edit has no such id there
                raise
            logger.info("a group has moved: it is written to where it is now")
            _forget_place(data)
            data["chat_id"] = error.new_chat_id
        except BadRequest as error:
            if not endpoint.startswith("send") or not _is_place_gone(error, data):
                raise
            _forget_place(data)
        return await self._in_turn(call, endpoint, data, rate_limit_args)

    async def _in_turn(
        self,
        call: Callable[[], Coroutine[Any, Any, Any]],
        endpoint: str,
        data: Json,
        rate_limit_args: str | None,
    ) -> Any:
        turn = self._turn_of(endpoint, data.get("chat_id"))
        at_once = rate_limit_args == RESERVED or endpoint == "sendChatAction"  # which is no message
        for has_failed in (False, True):
            await turn.wait(at_once)
            try:
                if "chat_id" in data:
                    if not at_once:
                        await self.reserve()
                    self._check()
                return await call()
            except RetryAfter as error:
                turn.hold(seconds_of(error))
                logger.info("Telegram asks for patience", extra={"call": endpoint})
                if has_failed or at_once:
                    raise
        raise AssertionError("the second failure is raised")

    def _turn_of(self, endpoint: str, chat: object) -> Turn:
        if len(self._turns) > _MANY_TURNS:
            self._turns = {key: turn for key, turn in self._turns.items() if not turn.is_free}
        if chat is None:
            return self._turns.setdefault(("", endpoint), Turn(None))
        if endpoint == "sendChatAction":  # it shows no message, and holds none up
            return self._turns.setdefault((chat, endpoint), Turn(None))
        is_private = isinstance(chat, int) and chat > 0
        return self._turns.setdefault((chat, ""), Turn(PRIVATE if is_private else GROUP))


def seconds_of(error: RetryAfter) -> float:
    """How long Telegram asks to wait; a little is added, because clocks differ."""
    return error._retry_after.total_seconds() + 0.1  # what PTB shows is an int or a timedelta


def _forget_place(data: Json) -> None:
    """Send it to the chat, as no reply and to no topic."""
    for field in ("reply_parameters", "message_thread_id"):
        data.pop(field, None)


def _is_place_gone(error: BadRequest, data: Json) -> bool:
    """Whether the chat is there, but not its topic or the message that is replied to."""
    said = error.message.lower()
    gone = ("thread not found", "topic_deleted", "topic_id_invalid", "message to be replied")
    has_place = "reply_parameters" in data or "message_thread_id" in data
    return has_place and any(words in said for words in gone)
