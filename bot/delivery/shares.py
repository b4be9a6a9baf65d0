"""Places in which updates are handled: nobody's updates take more than a share of them."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Shares:
    """So many updates in hand at once, so many of them one person's; the others wait.

    People take turns: who has a thousand waiting gets a place as often as who has one.
    """

    def __init__(self, places: int, each: int) -> None:
        """`each`: the most places that one person has."""
        self._free, self._each = places, each
        self._taken: Counter[int] = Counter()  # by person
        self._waiting: dict[int, deque[asyncio.Future[None]]] = {}  # whose turn is next comes first

    @asynccontextmanager
    async def place(self, person: int) -> AsyncIterator[None]:
        """Wait for a place, behind all that the person has waiting."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(person, deque()).append(turn)
        self._call()
        try:
            if turn.done():
                await asyncio.sleep(0)  # let those begin first who were called before
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # called in the same moment
                self._give_back(person)
            raise
        try:
            yield
        finally:
            self._give_back(person)

    def _give_back(self, person: int) -> None:
        self._free += 1
        self._taken[person] -= 1
        if not self._taken[person]:
            del self._taken[person]
        self._call()

    def _call(self) -> None:
        while self._free and (person := self._next()) is not None:
            turns = self._waiting.pop(person)
            turn = turns.popleft()
            if turns:
                self._waiting[person] = turns  # behind everybody else
            if not turn.done():  # otherwise it was cancelled
                turn.set_result(None)
                self._free -= 1
                self._taken[person] += 1

    def _next(self) -> int | None:
        """Who gets the next place: at most a few people, who have their share, are passed over."""
        return next((one for one in self._waiting if self._taken[one] < self._each), None)
