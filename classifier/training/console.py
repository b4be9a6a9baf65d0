"""What a command prints while it works: lines, tables and progress bars, or lines of JSON."""

import io
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table

from classifier.data.reviews import Reviews, load_reviews
from classifier.data.schema import Schema
from classifier.evaluation.figures import figure
from classifier.progress import progress
from classifier.training.loop import Step

_SECONDS_APART = 1.0  # between two lines of JSON about the progress


class CommandConsole:
    """Prints on a terminal; a quiet one belongs to each further process of a group."""

    def __init__(self, rich: Console | None = None) -> None:
        self.rich = rich or Console()

    def say(self, line: str) -> None:
        """Print one line."""
        self.rich.print(line, markup=False, highlight=False, soft_wrap=True)

    def warn(self, line: str) -> None:
        """Print one line that must not be overlooked."""
        self.rich.print(line, style="bold yellow", markup=False, highlight=False, soft_wrap=True)

    def conclude(self, line: str) -> None:
        """Print one line that says what came of it."""
        self.rich.print(line, style="bold", markup=False, highlight=False, soft_wrap=True)

    def read_reviews(
        self,
        source: str,
        models: Path | None,
        schema: Schema,
        keep_ratings: bool = False,
        title: str = "reviews",
    ) -> Reviews:
        """Load the reviews of `source`, and say which were taken, why, and what was left out.

        Rejected rows are listed in a file in `models`, if given. Raises what `load_reviews` raises.
        """
        # The holdout's file may have the same name as the reviews', in another folder.
        prefix = "holdout-" if title == "holdout" else ""
        rejects = models and models / f"{prefix}{Path(source).name}.rejected.jsonl"
        reviews = load_reviews(
            source, rejects_path=rejects, keep_ratings=keep_ratings, schema=schema
        )
        counts = reviews.counts
        self.say(f"{title.capitalize()}: {reviews.reason}.")
        self.say(
            f"  {counts['read']:,} read; {counts['exact_duplicates']:,} duplicates and "
            f"{counts['near_duplicates']:,} near duplicates left out; {counts['kept']:,} kept, "
            f"written ratings stripped from {counts['ratings_stripped']:,}."
        )
        if reviews.rejected:
            first = reviews.rejected[0]
            listed = f", see {rejects}" if rejects else ""
            self.warn(
                f"  {len(reviews.rejected):,} rows can't be used{listed}; "
                f"row {first.row}, the first: {first.reason}."
            )
        if reviews.unused:
            first = reviews.unused[0]
            self.warn(
                f"  {len(reviews.unused):,} rows are used without one of their grades; "
                f"row {first.row}, the first: {first.reason}."
            )
        return reviews

    def encoder(self, name: str, origin: str, stand_in: bool, revision: str | None = None) -> None:
        """Where the encoder came from, and whether the figures are its own."""
        self.say(f"Encoder: {origin}{f', commit {revision}' if revision else ''}.")
        if stand_in:
            self.warn(f"The figures are the stand-in's, not those of {name}.")

    def parts(self, counts: dict[str, dict[str, int]]) -> None:
        """How many reviews of each class every part has."""
        table = Table(title="Reviews", title_justify="left")
        for heading in ("part", *next(iter(counts.values()))):
            table.add_column(heading, justify="left" if heading == "part" else "right")
        for part, numbers in counts.items():
            table.add_row(part, *(f"{number:,}" for number in numbers.values()))
        self.rich.print(table)

    def epoch(self, figures: dict[str, float]) -> None:
        """One line for a finished epoch."""
        shown = {name: figure(value) for name, value in figures.items()}
        line = (
            f"loss {shown['train_loss']}, accuracy {shown['train_accuracy']}; validation "
            f"loss {shown['validation_loss']}, accuracy {shown['validation_accuracy']}"
        )
        if "validation_rating_accuracy" in shown:
            line += f", rating exact {shown['validation_rating_accuracy']}"
        self.say(f"  epoch {figures['epoch']:.0f}: {line} ({figures['seconds']:.0f} s)")

    @contextmanager
    def training(self, title: str, share: float) -> Iterator[Callable[[Step], None]]:  # noqa: ARG002
        """How far the steps of a training are, a share of the whole run."""
        with progress(title, self.rich) as report:

            def on_step(step: Step) -> None:
                report(
                    (step.epoch - 1) * step.batches + step.done,
                    step.epochs * step.batches,
                    f"{title}, epoch {step.epoch}/{step.epochs}, loss {step.loss:.3f}",
                )

            yield on_step


class JsonConsole(CommandConsole):
    """Writes lines of JSON for the program that started the training.

    What a terminal would show is in them, a line each (`said`); so is how far the steps are, at
    most once a second, and every finished epoch (`ended`). Where nobody reads any more the next
    line fails, which ends a training that nobody waits for.
    """

    def __init__(self, out: TextIO, *, quiet: bool = False) -> None:
        super().__init__(Console(file=_SaidLines(self), quiet=quiet))
        self._out = None if quiet else out
        self._title = ""  # of the training that is under way
        self._done = 0.0  # of the whole run
        self._last = -_SECONDS_APART

    @contextmanager
    def training(self, title: str, share: float) -> Iterator[Callable[[Step], None]]:
        """Says how much of the whole run is done, and which of all its epochs is under way."""
        self._title, started = title, time.monotonic()
        restored: float | None = None  # of the whole run, by steps of an earlier process

        def report(step: Step) -> None:
            nonlocal restored
            now, all_steps = time.monotonic(), step.epochs * step.batches
            steps = (step.epoch - 1) * step.batches + step.done
            if restored is None:
                restored = share * (steps - 1) / all_steps
            if now - self._last < _SECONDS_APART:
                return
            self._last = now
            mine = share * steps / all_steps
            left = max(0.0, 1 - self._done - mine)
            epochs = round(step.epochs / share)  # of the run: each pooling's
            told: dict[str, Any] = {
                "training": title,
                "epochs": epochs,
                "share": round(1 - left, 4),
            }
            told["epoch"] = round(self._done * epochs) + step.epoch
            told["seconds_left"] = round((now - started) / (mine - restored) * left)
            self.write(told)

        with super().training(title, share) as say:

            def on_step(step: Step) -> None:
                say(step)
                report(step)

            yield on_step
        self._done += share

    def epoch(self, figures: dict[str, float]) -> None:
        super().epoch(figures)
        self.write({"ended": {"training": self._title, **figures}})

    def write(self, value: dict[str, Any]) -> None:
        """One line; BrokenPipeError where nobody reads any more."""
        if self._out is None:
            return
        self._out.write(json.dumps(value, ensure_ascii=False) + "\n")
        self._out.flush()


class _SaidLines(io.StringIO):
    """A file whose lines a JsonConsole passes on."""

    def __init__(self, console: JsonConsole) -> None:
        super().__init__()
        self._console = console
        self._begun = ""

    def write(self, text: str) -> int:
        *lines, self._begun = (self._begun + text).split("\n")
        for line in lines:
            self._console.write({"said": line})
        return len(text)


def console_for(*, is_first: bool, as_json: bool) -> CommandConsole:
    """Of a command that trains: only the first process of a group prints, if need be in JSON."""
    if as_json:
        return JsonConsole(sys.stdout, quiet=not is_first)
    return CommandConsole(Console(quiet=not is_first))
