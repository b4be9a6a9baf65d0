"""`retrain`: a challenger trained on rated reviews too, and whether it becomes champion."""

from pathlib import Path
from typing import Annotated

import typer

from classifier.commands.options import (
    DEFAULT_CACHE,
    DEFAULT_MODELS,
    Cache,
    Json,
    Models,
    Progress,
    try_outputs,
)
from classifier.errors import ClassifierError
from classifier.evaluation.limits import LIMITS
from classifier.files import write_json
from classifier.registry.registry import Registry

HELP = f"""Train a challenger like the champion, with more reviews, and decide between the two.

It starts from the base encoder, not from the champion's weights, and keeps to the champion's
split: neither has seen the holdout. {LIMITS.in_words()}
"""


def retrain(
    extra: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help="Reviews to train on in addition to the champion's: content, grade10 or grade3, "
            "weight, if some count for more, and person, of whom none then weighs too much.",
        ),
    ],
    holdout: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Rated reviews to judge by, never to train on: as --extra."
        ),
    ] = None,
    promote: Annotated[
        bool, typer.Option("--promote", help="Make it the champion if it is accepted.")
    ] = False,
    progress: Progress = False,
    models: Models = DEFAULT_MODELS,
    cache: Cache = DEFAULT_CACHE,
    json_path: Json = None,
) -> None:
    from classifier.commands.quiet import quiet_libraries
    from classifier.training.console import JsonConsole, console_for
    from classifier.training.distributed import training_group
    from classifier.training.retraining import Feedback, retrain
    from classifier.training.settings import RunContext

    quiet_libraries()
    try_outputs(json_path, models)
    with training_group() as group:
        console = console_for(is_first=group.is_first, as_json=progress)
        feedback = Feedback(str(extra), None if holdout is None else str(holdout))
        decision = retrain(feedback, RunContext(models, cache, group, console))
    if decision is None:
        return
    if isinstance(console, JsonConsole):
        console.write({"decision": decision.as_json()})
    console.conclude(decision.reason)
    if json_path is not None:
        write_json(json_path, decision.as_json())
    if promote and decision.accepted:
        registry = Registry(models)
        champion = registry.get("champion").name
        if champion != decision.champion:
            raise ClassifierError(
                f"{decision.challenger} is not promoted: it was compared with {decision.champion}, "
                f"and {champion} has become the champion meanwhile."
            )
        registry.promote(decision.challenger)
        console.rich.print(f"Champion: {decision.challenger}", highlight=False)
