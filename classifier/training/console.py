"""What a command says while it works: lines, tables and bars with the time left."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from classifier.data.reviews import Reviews
from classifier.training.loop import Step

Counts = dict[str, dict[str, int]]


class Narrator:
    """Speaks on one console; a silent one belongs to each further process of a group."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def say(self, line: str) -> None:
        """One line."""
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def warn(self, line: str) -> None:
        """One line that must not be overlooked."""
        self.console.print(line, style="bold yellow", markup=False, highlight=False, soft_wrap=True)

    def reviews(self, reviews: Reviews, rejects: Path, title: str) -> None:
        """Which reviews were taken, why, and what was left out."""
        counts = reviews.counts
        self.say(f"{title}: {reviews.reason}.")
        self.say(
            f"  {counts['read']:,} read; {counts['exact_duplicates']:,} duplicates and "
            f"{counts['near_duplicates']:,} near duplicates left out; {counts['kept']:,} kept, "
            f"written ratings stripped from {counts['ratings_stripped']:,}."
        )
        if reviews.rejected:
            self.warn(f"  {len(reviews.rejected):,} rows can't be used, see {rejects}.")

    def encoder(self, name: str, origin: str, stand_in: bool) -> None:
        """Where the encoder came from, and whether the figures are its own."""
        self.say(f"Encoder: {origin}.")
        if stand_in:
            self.warn(f"The figures are the stand-in's, not those of {name}.")

    def trained_on(self, version: str, rows: int) -> None:
        """A warning where figures flatter because the model has seen the reviews before."""
        if rows:
            self.warn(
                f"{version} was trained on {rows:,} of these reviews: its figures flatter it."
            )

    def parts(self, counts: Counts) -> None:
        """How many reviews of each class every part has."""
        table = Table(title="Reviews", title_justify="left")
        for heading in ("part", *next(iter(counts.values()))):
            table.add_column(heading, justify="left" if heading == "part" else "right")
        for part, numbers in counts.items():
            table.add_row(part, *(f"{number:,}" for number in numbers.values()))
        self.console.print(table)

    def epoch(self, figures: dict[str, float]) -> None:
        """One line for an epoch that has ended."""
        line = (
            f"  epoch {figures['epoch']:.0f}: loss {figures['train_loss']:.3f}, "
            f"accuracy {figures['train_accuracy']:.3f}; "
            f"validation loss {figures['validation_loss']:.3f}, "
            f"accuracy {figures['validation_accuracy']:.3f}"
        )
        if "validation_rating_accuracy" in figures:
            line += f", rating exact {figures['validation_rating_accuracy']:.3f}"
        self.say(f"{line} ({figures['seconds']:.0f} s)")

    def adapted(self, figures: dict[str, float]) -> None:
        """One line for an epoch of the encoder's adaptation."""
        self.say(
            f"  epoch {figures['epoch']:.0f}: loss {figures['loss']:.3f}, masked words told from "
            f"thousands of others {figures['accuracy']:.3f} ({figures['seconds']:.0f} s)"
        )

    @contextmanager
    def training(
        self,
        title: str,
        share: float,  # noqa: ARG002 a bar is of one training alone
    ) -> Iterator[Callable[[Step], None]]:
        """A bar over all steps of a training; nothing where the output is no terminal.

        `share` is how much of the whole run it is.
        """
        bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        with bar:
            task = bar.add_task(title, total=None)

            def on_step(step: Step) -> None:
                bar.update(
                    task,
                    total=step.epochs * step.batches,
                    completed=(step.epoch - 1) * step.batches + step.done,
                    description=f"{title}, epoch {step.epoch}/{step.epochs}, loss {step.loss:.3f}",
                )

            yield on_step
