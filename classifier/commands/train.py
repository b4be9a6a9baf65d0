"""`train`: both poolings, evaluated, compared, reported and kept as a version."""

from typing import Annotated

import typer

from classifier.commands.options import (
    DEFAULT_CACHE,
    DEFAULT_MODELS,
    Cache,
    Columns,
    EncoderName,
    Epochs,
    Json,
    Labels,
    Limit,
    MaxTokens,
    Models,
    Progress,
    ReviewsSource,
    Scale,
    Split,
    split_by,
    try_outputs,
)
from classifier.data.hub import DEFAULT_ENCODER
from classifier.errors import ClassifierError, DiskFullError, Interrupted
from classifier.files import write_json
from classifier.registry.registry import Registry


def train(
    reviews: ReviewsSource = "auto",
    encoder: EncoderName = DEFAULT_ENCODER,
    recipe: Annotated[
        str, typer.Option(help="default, or notebook: the reference notebook's, slow and plain.")
    ] = "default",
    split: Split = "random",
    holdout: Annotated[
        str | None,
        typer.Option(
            metavar="SOURCE",
            help="Judge by these reviews, a file as --reviews takes it, instead of by a tenth of "
            "--reviews. Reviews that are in both are not trained on.",
        ),
    ] = None,
    columns: Columns = "",
    labels: Labels = "",
    scale: Scale = "",
    keep_ratings: Annotated[
        bool, typer.Option(help="Leave ratings written in the texts where they are.")
    ] = False,
    limit: Limit = None,
    minutes: Annotated[
        float | None, typer.Option(min=0.1, help="Use as many reviews as fit into that time.")
    ] = None,
    epochs: Epochs = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help="16 by default.")] = None,
    learning_rate: Annotated[
        float | None, typer.Option(min=0, help="By default the recipe's.")
    ] = None,
    max_tokens: MaxTokens = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    seeds: Annotated[
        int, typer.Option(min=1, help="Repeat the whole comparison over so many seeds.")
    ] = 1,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where the same command was interrupted.")
    ] = False,
    promote: Annotated[
        bool, typer.Option("--promote", help="Make it the champion (the first one always is).")
    ] = False,
    progress: Progress = False,
    models: Models = DEFAULT_MODELS,
    cache: Cache = DEFAULT_CACHE,
    json_path: Json = None,
) -> None:
    """Train with CLS and with mean pooling, and say which is better."""
    # Imported here, as in every command: torch takes seconds, and --help should not.
    from classifier.commands.quiet import quiet_libraries
    from classifier.commands.tables import print_figures
    from classifier.data.schema import Schema
    from classifier.training.console import console_for
    from classifier.training.distributed import training_group
    from classifier.training.experiment import run_experiment
    from classifier.training.recipe import RECIPES
    from classifier.training.settings import RunContext, Settings

    quiet_libraries()
    try_outputs(json_path, models)
    if recipe not in RECIPES:
        raise ClassifierError(f"--recipe {recipe}: there are {' and '.join(RECIPES)}.")
    by = split_by(split)
    chosen = RECIPES[recipe].changed(
        epochs=epochs,
        least_steps=None if epochs is None else 0,
        batch_size=batch_size,
        learning_rate=learning_rate,
        max_tokens=max_tokens,
    )
    settings = Settings(
        reviews=reviews,
        encoder=encoder,
        recipe=chosen,
        split=by,
        schema=Schema(columns, labels, scale),
        keep_ratings=keep_ratings,
        holdout=holdout,
        limit=limit,
        minutes=minutes,
        seed=seed,
        seeds=seeds,
    )
    with training_group() as group:
        console = console_for(is_first=group.is_first, as_json=progress)
        context = RunContext(models, cache, group, console)
        try:
            version = run_experiment(settings, context, resume=resume)
        except Interrupted:
            raise Interrupted(
                "Interrupted. The same command with --resume goes on after the last whole epoch."
            ) from None
        except DiskFullError as error:
            raise DiskFullError(error.target, then="go on with --resume") from error
    if version is None:
        return
    registry = Registry(models)
    figures = version.metrics()
    if json_path is not None:
        write_json(json_path, figures)
    print_figures(console.rich, figures, title=f"On the holdout ({version.name})")
    if promote or registry.champion() is None:
        registry.promote(version.name)
        console.rich.print(f"Champion: {version.name}", highlight=False)
    else:
        console.rich.print(f"To use it: python -m classifier models promote {version.name}")
    console.say(f"Report: {version.path / 'report.html'}")
