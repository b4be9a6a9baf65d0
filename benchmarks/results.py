"""A benchmark's results as JSON, with the machine that they were measured on."""

import statistics
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.machine import conditions
from classifier.errors import ClassifierError
from classifier.evaluation.figures import METRICS
from classifier.files import write_json

_SHOWN = {  # the figures of a run that its line shows, in this order
    "failed": "failed: {}",
    "square_gflops": "{:,.0f} GFLOP/s square",
    "layers_gflops": "{:,.0f} GFLOP/s in the layers' shapes",
    "arithmetic": "{}",
    "rate": "{:.1f} reviews/s sent",
    "answered": "{} answered",
    "turned_away": "{} turned away",
    "fit_seconds": "fitted in {:.1f} s",
    "seconds": "{:.2f} s",
    "p50_ms": "p50 {:.1f} ms",
    "p95_ms": "p95 {:.1f} ms",
    "longest_queue": "{} waiting at most",
    "retraining_seconds": "retrained in {:.0f} s",
    "retraining_ended": "the retraining ended meanwhile (the bot says: {})",
    "median_tokens": "{:.0f} tokens read in the median",
    "in_short": "{:.0%} read in short",
    "cpu_ms": "{:.1f} ms of processor each",
    "statements": "{:.1f} statements each",
    "reviews_per_second": "{:.1f} reviews/s",
    "timed_steps": "{} timed steps",
    "first_loss": "loss {:.2f} at first",
    "last_loss": "loss {:.2f} at last",
    **{name: f"{METRICS[name].name} {{:.3f}}" for name in ("accuracy", "macro_f1", "rating_mae")},
    "neutral_f1": "Neutral's F1 {:.3f}",
    "train_seconds": "trained in {:,.0f} s",
    "answer_p50_ms": "answers in {:.0f} ms",
    "resident_mb": "{:,.0f} MB resident",
    "grown_mb": "{:+,.0f} MB in the run",
    "peak_mb": "peak {:,.0f} MB",
}

Run = dict[str, Any]  # the figures of one run of an arm, or only why it `failed`


class Results:
    """The runs of each arm and their conditions; in `PATH.partial.json` until `finish`."""

    def __init__(
        self,
        path: Path,
        *,
        name: str,
        arms: dict[str, str],  # what exactly each is
        settings: dict[str, Any],
        rows: dict[str, Any],
    ) -> None:
        self.path = path
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._partial = self.path.with_suffix(".partial.json")
        self.document: dict[str, Any] = {
            "benchmark": name,
            "command": _command(),
            "began": _now(),
            "ended": None,
            **conditions(),
            "settings": settings,
            "rows": rows,
            "arms": {arm: {"about": text, "runs": []} for arm, text in arms.items()},
        }

    def add(self, name: str, run: Run) -> None:
        """Add one run of an arm and write the results so far."""
        self.document["arms"][name]["runs"].append(run)
        write_json(self._partial, self.document)

    def take_turns(self, console: Console, measure: Callable[[str, int], Run]) -> None:
        """Measure every arm once, then every arm again, as often as the settings' `repeats`.

        `measure` is given the arm's name and the number of the turn. An arm that fails leaves the
        others' figures as they are.
        """
        repeats = self.document["settings"]["repeats"]
        for repeat in range(repeats):
            for name in self.document["arms"]:
                try:
                    run = measure(name, repeat)
                except ClassifierError as error:
                    run = {"failed": str(error)}
                self.add(name, run)
                console.print(f"{repeat + 1}/{repeats} {name}: {line_of(run)}", highlight=False)

    def runs(self, name: str) -> list[Run]:
        """The runs of an arm that did not fail."""
        runs = self.document["arms"].get(name, {}).get("runs", [])
        return [run for run in runs if "failed" not in run]

    def failed(self) -> list[str]:
        """The arms of which a run failed."""
        arms = self.document["arms"].items()
        return [name for name, arm in arms if any("failed" in run for run in arm["runs"])]

    def median(self, name: str, figure: str) -> float | None:
        """The median of a figure over an arm's runs; None where no run has it."""
        values = [run[figure] for run in self.runs(name) if run.get(figure) is not None]
        return statistics.median(values) if values else None

    def finish(self, summary: dict[str, Any]) -> None:
        """All runs are done: add the `summary`, which the tables show, and write the results."""
        self.document |= {"summary": summary, "ended": _now()}
        write_json(self.path, self.document)
        self._partial.unlink(missing_ok=True)


def line_of(run: Run) -> str:
    """The main figures of a run in a line."""
    known = {name: value for name, value in run.items() if isinstance(value, int | float | str)}
    return ", ".join(text.format(known[name]) for name, text in _SHOWN.items() if name in known)


def _command() -> str:
    """The command line; of files only the names, since their folders mean nothing to others."""
    words = [Path(word).name if "/" in word else word for word in sys.argv[1:]]
    return " ".join(["python -m benchmarks", *words])


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
