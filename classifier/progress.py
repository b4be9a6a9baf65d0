"""The progress of a training as lines of JSON, for the program that started it."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from rich.console import Console

from classifier.narrator import Narrator
from classifier.pooling import POOLINGS
from classifier.training import Step

_SECONDS_APART = 1.0


class ProgressNarrator(Narrator):
    """Says what stands now, at most once a second while training.

    Where the reader is gone the next line fails, which ends a training that nobody waits for.
    """

    def __init__(self, out: TextIO) -> None:
        super().__init__(Console(quiet=True))
        self._out = out
        self._trained = 0  # poolings
        self._last = -_SECONDS_APART

    def say(self, line: str) -> None:
        self.tell({"said": line})

    @contextmanager
    def training(self, title: str) -> Iterator[Callable[[Step], None]]:
        """`share` is of both poolings' training."""
        started = time.monotonic()

        def on_step(step: Step) -> None:
            now = time.monotonic()
            if now - self._last < _SECONDS_APART:
                return
            self._last = now
            mine = ((step.epoch - 1) * step.batches + step.done) / (step.epochs * step.batches)
            left = len(POOLINGS) - self._trained - mine
            self.tell(
                {
                    "training": title,
                    "epoch": step.epoch,
                    "epochs": step.epochs,
                    "share": round(1 - left / len(POOLINGS), 4),
                    "seconds_left": round((now - started) / mine * left),
                }
            )

        yield on_step
        self._trained += 1

    def tell(self, what: dict[str, Any]) -> None:
        """One line; BrokenPipeError where nobody reads any more."""
        self._out.write(json.dumps(what, ensure_ascii=False) + "\n")
        self._out.flush()
