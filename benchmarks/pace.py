"""How fast a training goes once it has got going."""

import time
from dataclasses import dataclass
from typing import Any

_WARM_UP = 2  # steps after the first, which isn't timed at all: both allocate
_LOSSES = 3  # steps at either end whose mean loss is told


@dataclass(frozen=True)
class TrainingJob:
    """What an arm's process is asked to do."""

    rows: str  # a file of `rows.write`, a multiple of every batch size in number
    encoder: str  # a folder
    cache: str  # for token ids; only ours has one
    seconds: float  # of timed steps
    seed: int
    pooling: str = "cls"
    attention: str = ""  # the Trainer's


class Pace:
    """Times steps until there is enough of them."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._last: float | None = None
        self._steps: list[tuple[float, int]] = []  # seconds and rows
        self._losses: list[float] = []

    def interrupt(self) -> None:
        """Something else than training goes on (the end of an epoch): the next step isn't timed."""
        self._last = None

    def step(self, rows: int, loss: float) -> bool:
        """A step over so many rows has ended; whether that is enough."""
        now = time.perf_counter()
        self._losses.append(loss)
        if self._last is not None:
            self._steps.append((now - self._last, rows))
        self._last = now
        return sum(seconds for seconds, _ in self._steps[_WARM_UP:]) >= self._seconds

    def figures(self) -> dict[str, Any]:
        """Reviews a second over all timed steps, and the loss at both ends."""
        timed = self._steps[_WARM_UP:]
        seconds = sum(seconds for seconds, _ in timed)
        rows = sum(rows for _, rows in timed)
        first, last = self._losses[:_LOSSES], self._losses[-_LOSSES:]
        return {
            "reviews_per_second": rows / seconds,
            "timed_steps": len(timed),
            "timed_reviews": rows,
            "timed_seconds": seconds,
            "first_loss": sum(first) / len(first),
            "last_loss": sum(last) / len(last),
        }
