"""Joining the parts of a long text, which a client splits into several messages, to one review.

What belongs together is decided by the messages themselves: when they were sent and, if they are
forwarded, whose they are and when they were written. When they are handled decides nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

NEAR_LIMIT = 3_500
LIMIT = 4_096
"""Telegram's limit for a message, and from where on one may have been cut; in UTF-16 units."""

WAIT = 1.2
"""Seconds within which the next part of a long text is received."""

_GAP = timedelta(seconds=2)  # between parts: a client sends them at once, dated in whole seconds
_MOST_PARTS = 50  # so that a text ends some time; fewer are too long for a review already


@dataclass(frozen=True)
class Part:
    """One message, which may be a part of a longer text."""

    update_id: int
    message_id: int
    text: str
    place: tuple[int, int, int | None]  # chat, user and topic
    sent: datetime
    author: str | None  # of a forwarded message; "" for the user's own words, None for no text
    written: datetime  # when the author sent it


Inbox = Callable[[], Awaitable[list[Part]]]
"""The user's messages that are still to be handled, as far as they have been received."""


@dataclass
class _Split:
    parts: list[Part]
    more: asyncio.Event = field(default_factory=asyncio.Event)
    handled: asyncio.Future[None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Joiner:
    """Collects the parts of a text, also those that are in the inbox before their turn comes.

    Only after a part near Telegram's limit is there a wait for the next one.
    """

    def __init__(self, wait: float, is_tried_again: Callable[[Exception], bool]) -> None:
        """`wait`: seconds within which the next part is received.

        `is_tried_again`: whether an update that failed with this error will be tried again.
        """
        self._wait = wait
        self.is_tried_again = is_tried_again
        self._open: list[_Split] = []
        self._handling: dict[int, _Split] = {}  # by update, those that are whole

    @asynccontextmanager
    async def collect(self, part: Part, inbox: Inbox) -> AsyncIterator[list[Part] | None]:
        """All parts of the text for the first to come, whose caller handles them; None for others.

        A caller with another part waits until the text is handled: if its update counted as done
        before, a kill would lose the part.
        """
        while (split := self._open_for(part)) is not None:
            if part not in split.parts:
                split.parts.append(part)
            split.more.set()
            await asyncio.shield(split.handled)
            if part in split.parts:  # otherwise a message came in between: it is another text
                yield None
                return
        split = _Split([part])
        self._open.append(split)
        try:
            try:
                split.parts = await self._whole(split, part, inbox)
            finally:
                self._open.remove(split)
            self._handling |= dict.fromkeys(_ids(split.parts), split)
            try:
                yield split.parts or None
            finally:
                for update_id in _ids(split.parts):
                    del self._handling[update_id]
        except asyncio.CancelledError:
            split.handled.cancel()  # the others aren't done either
            raise
        except Exception as error:
            if self.is_tried_again(error):  # and so are the others
                split.handled.set_exception(error)
                split.handled.exception()  # there may be no others to look at it
            raise
        finally:
            if not split.handled.done():
                split.handled.set_result(None)

    def _open_for(self, part: Part) -> _Split | None:
        """The text in hand to which the part belongs."""
        for split in self._open:
            if part in split.parts or len(_chain(part, [*split.parts, part])) > 1:
                return split
        return self._handling.get(part.update_id)

    async def _whole(self, split: _Split, part: Part, inbox: Inbox) -> list[Part]:
        """All parts; none if this one was handled with others before its turn came."""
        chain: list[Part] = []
        in_time = True
        while True:
            split.more.clear()
            received = [each for each in await inbox() if each.update_id not in self._handling]
            if part not in received:
                return []
            before, chain = chain, _chain(part, [*received, *split.parts])
            is_whole = units(chain[-1].text) < NEAR_LIMIT or len(chain) >= _MOST_PARTS
            if is_whole or (not in_time and len(chain) <= len(before)):
                return chain
            try:
                await asyncio.wait_for(split.more.wait(), self._wait)
                in_time = True
            except TimeoutError:
                in_time = False


def follows(before: Part, after: Part) -> bool:
    """Whether a client may have cut one text into these two, of which the first comes right before
    the second among the user's messages."""
    return (
        units(before.text) >= NEAR_LIMIT
        and before.place == after.place
        and before.author == after.author is not None
        and before.message_id < after.message_id
        and timedelta() <= after.sent - before.sent <= _GAP
        and timedelta() <= after.written - before.written <= _GAP
    )


def _chain(part: Part, messages: Iterable[Part]) -> list[Part]:
    """The part with those before and after it that belong to the same text."""
    known = {each.message_id: each for each in messages if each.place == part.place}
    ordered = sorted(known.values(), key=lambda each: each.message_id)
    start = end = ordered.index(part)
    while start > 0 and follows(ordered[start - 1], ordered[start]):
        start -= 1
    while end + 1 < len(ordered) and follows(ordered[end], ordered[end + 1]):
        end += 1
    return ordered[start : end + 1]


def _ids(parts: list[Part]) -> set[int]:
    return {part.update_id for part in parts}


def join(parts: list[Part]) -> str:
    """The text that was split: clients cut at a space, which they drop, or within a word."""
    ordered = sorted(parts, key=lambda part: part.message_id)
    text = ordered[0].text
    for before, part in pairwise(ordered):
        text += part.text if units(before.text) >= LIMIT else "\n" + part.text
    return text


def units(text: str) -> int:
    """The length as Telegram counts it, in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
