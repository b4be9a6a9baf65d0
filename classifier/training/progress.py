"""The progress of a training as lines of JSON, for the program that started it."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from rich.console import Console

from classifier.training.console import Narrator
from classifier.training.loop import Step

_SECONDS_APART = 1.0


class ProgressNarrator(Narrator):
    """Says what stands now, at most once a second while training.

    Where the reader is gone the next line fails, which ends a training that nobody waits for.
    """

    def __init__(self, out: TextIO) -> None:
        super().__init__(Console(quiet=True))
        self._out = out
        self._done = 0.0  # of the whole run
        self._last = -_SECONDS_APART

    def say(self, line: str) -> None:
        self.tell({"said": line})

    @contextmanager
    def training(self, title: str, share: float) -> Iterator[Callable[[Step], None]]:
        """Tells how much of the whole run is done, and in which of all its epochs it is."""
        started = time.monotonic()

        def on_step(step: Step) -> None:
            now = time.monotonic()
            if now - self._last < _SECONDS_APART:
                return
            self._last = now
            steps = (step.epoch - 1) * step.batches + step.done
            mine = share * steps / (step.epochs * step.batches)
            left = max(0.0, 1 - self._done - mine)
            epochs = round(step.epochs / share)  # of the run: the encoder's, then each pooling's
            self.tell(
                {
                    "training": title,
                    "epoch": round(self._done * epochs) + step.epoch,
                    "epochs": epochs,
                    "share": round(1 - left, 4),
                    "seconds_left": round((now - started) / mine * left),
                }
            )

        yield on_step
        self._done += share

    def tell(self, what: dict[str, Any]) -> None:
        """One line; BrokenPipeError where nobody reads any more."""
        self._out.write(json.dumps(what, ensure_ascii=False) + "\n")
        self._out.flush()
