"""Ctrl-C and SIGTERM: raised where a command can end in order, and said in a sentence."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from classifier.errors import Interrupted

SIGNALS = {signal.SIGINT, signal.SIGTERM}
_IMPORTING = "<frozen importlib._bootstrap>"
_AGAIN_AFTER = 0.05  # seconds


def hold_interruptions() -> None:
    """Let signals wait until `raise_interruptions`: nothing could catch what they raise."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)


def raise_interruptions() -> None:
    """Raise Interrupted at the first signal; a second one ends the process at once."""
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, _interrupt)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


def ignore_interruptions() -> None:
    """Let the process end as it was going to."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def going_on() -> Iterator[None]:
    """Say of an interruption that nothing done is lost."""
    try:
        yield
    except Interrupted:
        raise Interrupted("Interrupted. The same command goes on from there.") from None


def _interrupt(number: int, frame: FrameType | None) -> None:
    # An import catches what is raised in it, here and there, or leaves half a library behind.
    while frame is not None:
        if frame.f_code.co_filename == _IMPORTING:
            later = threading.Timer(_AGAIN_AFTER, os.kill, (os.getpid(), number))
            later.daemon = True
            later.start()
            return
        frame = frame.f_back
    for each in SIGNALS:
        if signal.getsignal(each) is _interrupt:
            signal.signal(each, signal.SIG_DFL)
    raise Interrupted
