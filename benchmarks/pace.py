"""How fast a training goes once it is warm."""

import time
from dataclasses import dataclass
from statistics import mean
from typing import Any

_WARM_UP = 2  # steps after the first, which isn't timed at all: these allocate memory too
_LOSSES = 3  # steps at either end whose mean loss is reported


@dataclass(frozen=True)
class TrainingJob:
    """What an arm's process is asked to measure."""

    rows: str  # a file of `rows.write`; their number is a multiple of every batch size
    encoder: str  # a folder
    cache: str  # for token ids; only ours has one
    seconds: float  # of timed steps
    seed: int
    pooling: str = "cls"
    attention: str = ""  # the Trainer's


class Pace:
    """Times steps until they add up to `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._last: float | None = None
        self._steps: list[tuple[float, int]] = []  # seconds and rows
        self._losses: list[float] = []

    def interrupt(self) -> None:
        """Leave the next step out: something else runs before it, such as an epoch's end."""
        self._last = None

    def step(self, rows: int, loss: float) -> bool:
        """Note the end of a step over `rows` reviews; whether enough was timed."""
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
        return {
            "reviews_per_second": rows / seconds,
            "timed_steps": len(timed),
            "timed_reviews": rows,
            "timed_seconds": seconds,
            "first_loss": mean(self._losses[:_LOSSES]),
            "last_loss": mean(self._losses[-_LOSSES:]),
        }
