"""Work that waits for the hub, given up when the hub stays silent.

The time limits of huggingface_hub do not cover a server that accepts a connection and stays silent,
so a thread does the work and tells of each sign of life.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from classifier.errors import ClassifierError

T = TypeVar("T")
WORK = "work with the hub"  # the name of its threads


@dataclass(frozen=True)
class _Done(Generic[T]):
    result: T


class Signs:
    """What the work tells its watcher."""

    def __init__(self, tell: Callable[[], None]) -> None:
        self._tell = tell
        self.given_up = threading.Event()

    def alive(self) -> None:
        """Something came from the hub, or went there; InterruptedError if nobody waits any more."""
        self.check()
        self._tell()

    def check(self) -> None:
        """InterruptedError if nobody waits any more."""
        if self.given_up.is_set():
            raise InterruptedError


def watched(work: Callable[[Signs], T], seconds: float) -> T:
    """The result of `work`, or what it raises.

    Raises ClassifierError, its message a phrase, where there was no sign of life for `seconds`.
    """
    arrived: SimpleQueue[_Done[T] | Exception | None] = SimpleQueue()  # None: a sign of life
    signs = Signs(lambda: arrived.put(None))

    def run() -> None:
        try:
            arrived.put(_Done(work(signs)))
        except Exception as error:
            arrived.put(error)

    for name in ("file_download", "hf_api", "utils._http"):
        logging.getLogger(f"huggingface_hub.{name}").addFilter(_is_of_no_work)
    threading.Thread(target=run, name=WORK, daemon=True).start()
    try:
        while True:
            found = arrived.get(timeout=seconds)
            if isinstance(found, Exception):
                raise found
            if found is not None:
                return found.result
    except Empty:
        raise ClassifierError(f"no data came from the hub for {seconds:g} seconds") from None
    finally:
        signs.given_up.set()


def _is_of_no_work(record: logging.LogRecord) -> bool:
    """What is said at the end tells what matters of the library's retries."""
    return record.threadName != WORK
