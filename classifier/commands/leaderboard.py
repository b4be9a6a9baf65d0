"""`leaderboard`: several encoders on the same reviews, each with both poolings."""

from pathlib import Path
from typing import Annotated

import typer

from classifier.commands.options import (
    DEFAULT_CACHE,
    Cache,
    Columns,
    Epochs,
    Json,
    Labels,
    Limit,
    MaxTokens,
    ReviewsSource,
    Scale,
    Split,
    split_by,
    try_outputs,
)
from classifier.errors import ClassifierError, DiskFullError, Interrupted
from classifier.files import write_json

_GO_ON = "The same command goes on after the last whole epoch."


def leaderboard(
    encoder: Annotated[
        list[str],
        typer.Option(help="A hub id, maybe with @commit, or a folder; once for each encoder."),
    ],
    reviews: ReviewsSource = "auto",
    split: Split = "random",
    holdout: Annotated[
        str | None,
        typer.Option(metavar="SOURCE", help="Judge by these reviews instead of by a tenth."),
    ] = None,
    columns: Columns = "",
    labels: Labels = "",
    scale: Scale = "",
    limit: Limit = None,
    epochs: Epochs = None,
    max_tokens: MaxTokens = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    seeds: Annotated[int, typer.Option(min=1, help="Train each encoder with so many seeds.")] = 1,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Where the page and all results are kept.")
    ] = Path("leaderboard"),
    cache: Cache = DEFAULT_CACHE,
    json_path: Json = None,
) -> None:
    """Train each encoder on the same reviews: is CLS or mean better, and does it depend on it?

    An encoder that fails is reported, the others go on, and the exit status is 1. The same command
    again goes on where it was interrupted. No version is published: `train --encoder` makes one.
    """
    from classifier.commands.quiet import quiet_libraries
    from classifier.commands.tables import print_board
    from classifier.data.schema import Schema
    from classifier.evaluation.leaderboard import board
    from classifier.reports.leaderboard import write_page
    from classifier.training.console import CommandConsole
    from classifier.training.distributed import training_group
    from classifier.training.leaderboard import measure
    from classifier.training.recipe import DEFAULT
    from classifier.training.settings import RunContext, Settings

    quiet_libraries()
    try_outputs(json_path, out)
    recipe = DEFAULT.changed(
        epochs=epochs, least_steps=None if epochs is None else 0, max_tokens=max_tokens
    )
    settings = Settings(
        reviews=reviews,
        encoder="",
        recipe=recipe,
        split=split_by(split),
        schema=Schema(columns, labels, scale),
        holdout=holdout,
        limit=limit,
        seed=seed,
        seeds=seeds,
    )
    console, names = CommandConsole(), list(dict.fromkeys(encoder))
    with training_group() as group:
        if group.size > 1:
            raise ClassifierError("A leaderboard is made by one process, without torchrun.")
        context = RunContext(out, cache, group, console)
        try:
            entries, failures = measure(names, settings, context)
        except Interrupted:
            raise Interrupted(f"Interrupted. {_GO_ON}") from None
        except DiskFullError as error:
            raise DiskFullError(error.target, then="run it again: it goes on") from error
    failed = {failure.name: failure.reason for failure in failures}
    if entries:
        found = board(entries)
        facts = {entry.name: entry.facts for entry in entries}
        print_board(console.rich, found, facts)
        write_page(out / "leaderboard.html", found, facts, failed)
        console.say(f"Page: {out / 'leaderboard.html'}")
        document = {**found, "encoders": facts, "failed": failed}
        if json_path is not None:
            write_json(json_path, document)
    if failed:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in failed.items())
        raise ClassifierError(f"{len(failed)} of {len(names)} encoders failed. {reasons}")
