"""A benchmark's results as JSON: written after every run, in its place when all runs are done."""

import statistics
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ParamSpec

from benchmarks import RESULTS
from benchmarks.machine import machine, versions
from classifier.errors import ClassifierError
from classifier.files import write_json

Run = dict[str, Any]
_Given = ParamSpec("_Given")


def attempted(
    measure: Callable[_Given, Run], *arguments: _Given.args, **options: _Given.kwargs
) -> Run:
    """What `measure` finds, or why it failed: the other arms' figures are worth having."""
    try:
        return measure(*arguments, **options)
    except ClassifierError as error:
        return {"failed": str(error)}


class Results:
    """The runs of each arm, and under what conditions; `PATH.partial.json` until `finish`."""

    def __init__(
        self, name: str, path: Path | None, settings: dict[str, Any], rows: dict[str, Any]
    ) -> None:
        self.path = path or RESULTS / f"{name}.json"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._partial = self.path.with_suffix(".partial.json")
        self.document: dict[str, Any] = {
            "benchmark": name,
            "command": _command(),
            "began": _now(),
            "ended": None,
            "machine": machine(),
            "versions": versions(),
            "settings": settings,
            "rows": rows,
            "arms": {},
        }

    def arm(self, name: str, about: str) -> None:
        """Announce an arm; `about` says what exactly it is."""
        self.document["arms"][name] = {"about": about, "runs": []}

    def add(self, name: str, run: Run) -> None:
        """Keep one run of an arm; one that failed has only `failed`."""
        self.document["arms"][name]["runs"].append(run)
        write_json(self._partial, self.document)

    def runs(self, name: str) -> list[Run]:
        """The runs of an arm that did not fail."""
        found = self.document["arms"].get(name, {}).get("runs", [])
        return [run for run in found if "failed" not in run]

    def failed(self) -> list[str]:
        """The arms of which a run failed."""
        arms = self.document["arms"].items()
        return [name for name, arm in arms if any("failed" in run for run in arm["runs"])]

    def median(self, name: str, figure: str) -> float | None:
        """The median of a figure over an arm's runs; None where no run has it."""
        values = [run[figure] for run in self.runs(name) if run.get(figure) is not None]
        return statistics.median(values) if values else None

    def finish(self, summary: dict[str, Any]) -> None:
        """All runs are done: `summary` is what the tables show."""
        self.document |= {"summary": summary, "ended": _now()}
        write_json(self.path, self.document)
        self._partial.unlink(missing_ok=True)


def ratio(value: float | None, to: float | None) -> float | None:
    """How many times `to` that is, unless either is unknown."""
    return value / to if value is not None and to else None


def total(values: Iterable[float | None]) -> float | None:
    """The sum, unless any is unknown."""
    known = list(values)
    return sum(value for value in known if value is not None) if None not in known else None


def _command() -> str:
    """The command line, with files by their names: where they lay says nothing to anyone else."""
    words = [Path(word).name if "/" in word else word for word in sys.argv[1:]]
    return " ".join(["python -m benchmarks", *words])


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
