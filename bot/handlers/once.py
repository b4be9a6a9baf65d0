"""What an update changes, changed once however often its reply is tried again."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")

_KEPT = 100  # more updates than are tried again at a time


class Once(Generic[Result]):
    """Keeps the results of actions that can't be done twice, by the update that asked for them.

    Telegram may be away when the reply is sent. The inbox then has the update handled again, and
    only the reply is left to do. A process that was killed in between has forgotten the result.
    """

    def __init__(self) -> None:
        self._results: OrderedDict[int, Result] = OrderedDict()

    async def do(self, update_id: int, action: Callable[[], Awaitable[Result]]) -> Result:
        """The action's result; one that raises is done again."""
        if update_id not in self._results:
            self._results[update_id] = await action()
            if len(self._results) > _KEPT:
                self._results.popitem(last=False)
        return self._results[update_id]
