"""`models`: the versions on disk."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from classifier.commands.options import DEFAULT_MODELS, Models, VersionName
from classifier.evaluation.figures import METRICS, figure
from classifier.registry.registry import CHAMPION, Registry

app = typer.Typer(help="The versions on disk: list, promote, roll back, prune, show the card.")

_SHOWN = ("accuracy", "macro_f1", "rating_mae")


@app.command("list")
def list_versions(models: Models = DEFAULT_MODELS) -> None:
    """All versions, oldest first, with their figures on their own holdouts."""
    console = Console()
    registry = Registry(models)
    champion = registry.champion()
    table = Table(Column("version", no_wrap=True), "trained on", box=None)
    for metric in _SHOWN:
        table.add_column(METRICS[metric].name, no_wrap=True)
    for version in registry.versions():
        training, metrics = version.training(), version.metrics()
        name = f"{version.name} ★" if champion and version.name == champion.name else version.name
        encoder = (
            "stand-in"
            if training["encoder"]["stand_in"]
            else Path(training["encoder"]["name"]).name
        )
        figures = (
            "/".join(figure(metrics[pooling].get(metric)) for pooling in ("cls", "mean"))
            for metric in _SHOWN
        )
        parts = training["reviews"]["parts"]
        rows = sum(part["rows"] for part in parts.values())
        if "holdout" in training:  # that is another file's
            rows -= parts["holdout"]["rows"]
        table.add_row(
            name, f"{rows:,} {Path(training['reviews']['source']).name}, {encoder}", *figures
        )
    if table.row_count:
        console.print(table)
        console.print("★ the champion; figures are CLS/mean pooling.")
    else:
        console.print(f"{models} has no versions yet: python -m classifier train", highlight=False)


@app.command()
def promote(version: VersionName, models: Models = DEFAULT_MODELS) -> None:
    """Make a version the champion, after checking every file of it."""
    print(f"Champion: {Registry(models).promote(version).name}")


@app.command()
def rollback(models: Models = DEFAULT_MODELS) -> None:
    """Go back to the champion before this one."""
    print(f"Champion: {Registry(models).rollback().name}")


@app.command()
def prune(
    keep: Annotated[int, typer.Option(min=0, help="How many of the newest to keep.")] = 5,
    models: Models = DEFAULT_MODELS,
) -> None:
    """Delete old versions; the champion and the one a rollback would reach stay."""
    deleted = Registry(models).prune(keep)
    print("\n".join(f"Deleted {name}" for name in deleted) or "Nothing to delete.")


@app.command()
def card(version: VersionName = CHAMPION, models: Models = DEFAULT_MODELS) -> None:
    """Print a version's model card."""
    print((Registry(models).get(version).path / "README.md").read_text(encoding="utf-8"))
