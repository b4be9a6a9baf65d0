"""Two feeds: updates, which the bot fetches, and events, which each open page follows."""

import asyncio
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from bot.local.params import ApiError, Params
from bot.local.people import Json


class Listeners:
    """Wakes everyone who waits for a feed.

    Each listener brings its own event, so that it can also be woken for other reasons.
    """

    def __init__(self) -> None:
        self._woken: set[asyncio.Event] = set()

    def wake(self) -> None:
        for event in self._woken:
            event.set()

    @contextmanager
    def with_listener(self, woken: asyncio.Event) -> Iterator[None]:
        self._woken.add(woken)
        try:
            yield
        finally:
            self._woken.discard(woken)


class LongPoll:
    """One getUpdates request that waits; `end` answers it with an error at once."""

    def __init__(self) -> None:
        self.woken = asyncio.Event()
        self.refusal: ApiError | None = None

    def end(self, refusal: ApiError) -> None:
        self.refusal = refusal
        self.woken.set()


class UpdateQueue:
    """The updates in order of arrival; each stays until the bot confirms it."""

    def __init__(self, first_id: int) -> None:
        self.listeners = Listeners()
        self.waiting: list[Json] = []
        self.allowed: Sequence[str] = ()  # empty: all kinds
        self.next_id = first_id
        self._poll: LongPoll | None = None

    def allow(self, params: Params) -> None:
        """Set which kinds are queued, if a request says so in `allowed_updates`."""
        if "allowed_updates" not in params:
            return
        kinds = params.json("allowed_updates", "allowed updates")
        if not isinstance(kinds, list) or not all(isinstance(kind, str) for kind in kinds):
            raise ApiError.bad_request("can't parse allowed updates: expected an Array of String")
        self.allowed = tuple(kinds)

    def put(self, kind: str, content: Json) -> None:
        if not self.allowed or kind in self.allowed:
            self.waiting.append({"update_id": self.next_id, kind: content})
            self.next_id += 1
            self.listeners.wake()

    def confirm(self, offset: int) -> None:
        """Forget what comes before `offset`; a negative one keeps that many of the newest."""
        if offset < 0:
            self.waiting = self.waiting[offset:]
        elif offset > 0:
            self.waiting = [update for update in self.waiting if update["update_id"] >= offset]

    async def poll(self, poll: LongPoll, offset: int, limit: int, timeout: float) -> list[Json]:
        """At most `limit` of the waiting updates, as soon as there is one; none after `timeout`
        seconds. Raises ApiError when another request ends this one.
        """
        reason = "terminated by other getUpdates request"
        self.end_poll(f"{reason}; make sure that only one bot instance is running")
        self._poll = poll
        self.confirm(offset)
        try:
            with self.listeners.with_listener(poll.woken):
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


class Event(NamedTuple):
    number: int
    audience: Collection[int]
    content: Json


class EventLog:
    """Everything that happened in the chats, numbered, so that a page can resume where it was.

    After a restart the server goes on with higher numbers.
    """

    def __init__(self, first_number: int) -> None:
        self.listeners = Listeners()
        self._first = first_number
        self._events: list[Event] = []

    @property
    def last_number(self) -> int:
        return self._first + len(self._events) - 1

    def add(self, audience: Collection[int], content: Json) -> None:
        self._events.append(Event(self.last_number + 1, audience, content))
        self.listeners.wake()

    def after(self, number: int, user_id: int) -> Iterator[Event]:
        """The events after this one that the user may see."""
        for event in self._events[max(number + 1 - self._first, 0) :]:
            if user_id in event.audience:
                yield event
