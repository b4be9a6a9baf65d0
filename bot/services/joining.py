"""Joining the parts of a long text, which a client splits into several messages, to one review."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise

NEAR_LIMIT = 3_500
LIMIT = 4_096
"""Telegram's limit for a message, and from where on one may have been cut; in UTF-16 units."""

_MOST_PARTS = 50  # so that a text ends some time; fewer are too long for a review already


@dataclass(frozen=True)
class Part:
    """One message, which may be a part of a longer text."""

    update_id: int
    message_id: int
    text: str


@dataclass
class _Split:
    parts: list[Part]
    more: asyncio.Event = field(default_factory=asyncio.Event)
    handled: asyncio.Future[None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Joiner:
    """Collects the parts that follow each other within `wait` seconds, from one user in one chat.

    Only after a part near Telegram's limit is there a wait for the next one.
    """

    def __init__(self, wait: float, is_tried_again: Callable[[Exception], bool]) -> None:
        """`is_tried_again`: whether an update that failed with this error will be tried again."""
        self._wait = wait
        self._is_tried_again = is_tried_again
        self._open: dict[tuple[int, int], _Split] = {}

    @asynccontextmanager
    async def collect(
        self, chat_id: int, user_id: int, part: Part
    ) -> AsyncIterator[list[Part] | None]:
        """All parts of the text for its first part, whose caller handles them; None for the others.

        A caller with a later part waits until the text is handled: if its update counted as done
        before, a kill would lose the part.
        """
        key = (chat_id, user_id)
        split = self._open.get(key)
        if split is not None:
            split.parts.append(part)
            split.more.set()
            await asyncio.shield(split.handled)
            yield None
            return
        if units(part.text) < NEAR_LIMIT:
            yield [part]
            return
        split = self._open[key] = _Split([part])
        try:
            try:
                await self._complete(split)
            finally:
                del self._open[key]
            yield split.parts
        except asyncio.CancelledError:
            split.handled.cancel()  # the others aren't done either
            raise
        except Exception as error:
            if self._is_tried_again(error):  # and so are the others
                split.handled.set_exception(error)
                split.handled.exception()  # there may be no others to look at it
            raise
        finally:
            if not split.handled.done():
                split.handled.set_result(None)

    async def _complete(self, split: _Split) -> None:
        while units(split.parts[-1].text) >= NEAR_LIMIT and len(split.parts) < _MOST_PARTS:
            split.more.clear()
            try:
                await asyncio.wait_for(split.more.wait(), self._wait)
            except TimeoutError:
                return


def join(parts: list[Part]) -> str:
    """The text that was split: clients cut at a space, which they drop, or within a word."""
    ordered = sorted(parts, key=lambda part: part.message_id)
    text = ordered[0].text
    for before, part in pairwise(ordered):
        text += part.text if units(before.text) >= LIMIT else "\n" + part.text
    return text


def units(text: str) -> int:
    """The length as Telegram counts it, in UTF-16 units."""
    return len(text) + sum(character > "\uffff" for character in text)
