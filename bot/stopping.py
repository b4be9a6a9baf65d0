"""A stop by SIGTERM or Ctrl-C: what is under way is cancelled, within what supervisors wait."""

import asyncio
import os
import signal
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

SECONDS_TO_END = 8.5
"""From the signal on; supervisors kill after 10. What is not done by then is done after a start."""

Result = TypeVar("Result")


class Stopped(Exception):  # noqa: N818  (what happened, not a failure)
    """The work was cancelled, because the program is to stop."""


def stop_at_signals() -> asyncio.Event:
    """An event of the running loop, set by the first signal; the program ends soon after it."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, _begin_to_stop, stop)
    return stop


def _begin_to_stop(stop: asyncio.Event) -> None:
    # A thread that waits for SQLite's lock can't be interrupted, and Python would wait for it.
    timer = threading.Timer(SECONDS_TO_END, os._exit, [0])
    timer.daemon = True
    timer.start()
    stop.set()


async def unless(stop: asyncio.Event, work: Coroutine[Any, Any, Result]) -> Result:
    """What `work` gives; raises Stopped where `stop` is set before, once the work is cancelled."""
    task = asyncio.create_task(work)
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopped.cancel()
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
    if task.cancelled():
        raise Stopped
    return task.result()
