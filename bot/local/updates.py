"""The updates that wait for the bot, and the long poll that fetches them."""

import asyncio
from collections.abc import Sequence
from typing import Any

from bot.local.bell import Bell
from bot.local.errors import ApiError
from bot.local.people import Json

NOT_BY_DEFAULT = {"chat_member", "message_reaction", "message_reaction_count"}


class LongPoll:
    """One getUpdates request that waits; `end` answers it with an error at once."""

    def __init__(self) -> None:
        self.woken = asyncio.Event()
        self.refusal: ApiError | None = None

    def end(self, refusal: ApiError) -> None:
        self.refusal = refusal
        self.woken.set()


class UpdateQueue:
    """In order of arrival; an update stays until the bot confirms it."""

    def __init__(self, first_id: int) -> None:
        self.news = Bell()
        self.waiting: list[Json] = []
        self.allowed: Sequence[str] = ()  # empty: Telegram's default
        self.next_id = first_id
        self._poll: LongPoll | None = None

    def put(self, kind: str, content: Json) -> None:
        wanted = kind in self.allowed if self.allowed else kind not in NOT_BY_DEFAULT
        if wanted:
            self.waiting.append({"update_id": self.next_id, kind: content})
            self.next_id += 1
            self.news.ring()

    def confirm(self, offset: int) -> None:
        """Forget what comes before `offset`; a negative one keeps that many of the newest."""
        if offset < 0:
            self.waiting = self.waiting[offset:]
        elif offset > 0:
            self.waiting = [update for update in self.waiting if update["update_id"] >= offset]

    async def poll(self, poll: LongPoll, offset: int, limit: int, timeout: float) -> list[Json]:
        """What waits, at most `limit`, as soon as something does."""
        self.end_poll(
            "terminated by other getUpdates request; "
            "make sure that only one bot instance is running"
        )
        self._poll = poll
        self.confirm(offset)
        try:
            with self.news.listening(poll.woken):
                async with asyncio.timeout(timeout):
                    while timeout > 0 and not self.waiting and poll.refusal is None:
                        poll.woken.clear()
                        await poll.woken.wait()
        except TimeoutError:
            pass
        finally:
            if self._poll is poll:
                self._poll = None
        if poll.refusal is not None:
            raise poll.refusal
        return self.waiting[:limit]

    def end_poll(self, reason: str) -> None:
        if self._poll is not None:
            self._poll.end(ApiError(409, f"Conflict: {reason}"))


def checked_kinds(kinds: Any) -> Sequence[str]:
    """The value of `allowed_updates`."""
    if not isinstance(kinds, list) or not all(isinstance(kind, str) for kind in kinds):
        raise ApiError.bad_request("can't parse allowed updates: expected an Array of String")
    return tuple(kinds)
