"""`retrain`: a challenger that has learnt from rated reviews, and whether it may be champion."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from classifier.commands.options import DEFAULT_CACHE, DEFAULT_MODELS, Cache, Json, Models
from classifier.files import write_json
from classifier.registry.registry import Registry


def retrain(
    extra: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help="Reviews to train on besides the champion's: content, grade10 or grade3, and "
            "weight, if some count for more.",
        ),
    ],
    holdout: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Rated reviews to judge by, never to train on."),
    ] = None,
    promote: Annotated[
        bool, typer.Option("--promote", help="Make it the champion if it is accepted.")
    ] = False,
    progress: Annotated[
        bool, typer.Option("--progress", help="Say how it goes in lines of JSON, for a program.")
    ] = False,
    models: Models = DEFAULT_MODELS,
    cache: Cache = DEFAULT_CACHE,
    json_path: Json = None,
) -> None:
    """Train a challenger like the champion, with more reviews, and decide between the two.

    It starts from the base encoder, not from the champion's weights, and keeps to the champion's
    split: neither has seen the holdout. It is accepted if, with either pooling, on the holdout the
    95 % interval of the difference in macro F1 stays above -0.05, no class's recall falls by more
    than 0.05 (or two reviews), the calibration error's interval begins at most at 0.1 (or 0.05
    above the champion's error) and a prediction takes at most 1.5 times as long, or a millisecond
    more; and if, with 30 or more of the reviews of --holdout, its accuracy on them is no lower.
    """
    from classifier.commands.quiet import quiet_libraries
    from classifier.training.console import Narrator
    from classifier.training.distributed import training_group
    from classifier.training.experiment import Surroundings
    from classifier.training.progress import ProgressNarrator
    from classifier.training.retraining import Feedback, retrain

    quiet_libraries()
    with training_group() as group:
        console = Console(quiet=progress or not group.is_first)
        narrator = ProgressNarrator(sys.stdout) if progress else Narrator(console)
        feedback = Feedback(str(extra), None if holdout is None else str(holdout))
        decision = retrain(feedback, Surroundings(models, cache, group, narrator))
    if decision is None:
        return
    if json_path is not None:
        write_json(json_path, decision.as_json())
    if isinstance(narrator, ProgressNarrator):
        narrator.tell({"decision": decision.as_json()})
    console.print(decision.reason, style="bold", highlight=False, soft_wrap=True)
    if promote and decision.accepted:
        Registry(models).promote(decision.challenger)
        console.print(f"Champion: {decision.challenger}", highlight=False)
