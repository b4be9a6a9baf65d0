"""How far a long piece of work is: a bar on a terminal, a line every half minute elsewhere.

A service's journal, a pipe or a CI log shows no bar, and would show nothing for many minutes.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

SECONDS_APART = 30.0  # of the lines

Report = Callable[[int, int | None, str], None]
"""Takes how much is done, of how much (None: not known), and the title of what is going on."""


@contextmanager
def progress(title: str, console: Console) -> Iterator[Report]:
    """What to tell of each step; the bar or the lines are on `console`."""
    if not console.is_terminal:
        yield _Lines(console)
        return
    done = BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    columns = "{task.description}", *done, "left", TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(title, total=None)

        def report(done: int, total: int | None, title: str) -> None:
            bar.update(task, completed=done, total=total, description=title)

        yield report


class _Lines:
    """A line at most every half minute; the time left is by the pace since the first report."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began: tuple[int, float] | None = None  # what was done by then, and when
        self._last = time.monotonic()

    def __call__(self, done: int, total: int | None, title: str) -> None:
        now = time.monotonic()
        first, began = self._began = self._began or (done, now)
        if now - self._last < SECONDS_APART:
            return
        self._last = now
        line = f"{title}: {done:,} done"
        if total:
            line = f"{title}: {done:,} of {total:,} ({done / total:.0%})"
            if done > first:
                left = (now - began) / (done - first) * (total - done)
                line += f", {_duration(left)} left"
        self._console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
