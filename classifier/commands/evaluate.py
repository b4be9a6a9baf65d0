"""`evaluate`: one version on labelled reviews."""

from typing import Annotated

import typer
from rich.console import Console

from classifier.commands.options import (
    DEFAULT_CACHE,
    DEFAULT_MODELS,
    Cache,
    Json,
    Models,
)
from classifier.files import write_json
from classifier.registry.registry import Registry


def evaluate(
    version: Annotated[str, typer.Argument(help="A version, the beginning of one, or champion.")],
    reviews: Annotated[
        str | None,
        typer.Option(
            metavar="SOURCE",
            help="A file, hub, sample or auto. Without it: the figures on the version's own "
            "holdout, as they were when it was trained.",
        ),
    ] = None,
    models: Models = DEFAULT_MODELS,
    cache: Cache = DEFAULT_CACHE,
    json_path: Json = None,
) -> None:
    """Both models of a version on labelled reviews: all figures, and which is better."""
    from classifier.commands.quiet import quiet_libraries
    from classifier.commands.tables import print_figures
    from classifier.evaluation.version_scores import score
    from classifier.modeling.device import default_device
    from classifier.training.console import Narrator
    from classifier.training.experiment import read_reviews

    quiet_libraries()
    console = Console()
    narrator = Narrator(console)
    found = Registry(models).get(version)
    narrator.encoder(**found.training()["encoder"])
    if reviews is None:
        figures, where = found.metrics(), "its own holdout"
    else:
        loaded = read_reviews(reviews, models, narrator)
        scores = score(found, loaded, default_device(), cache)
        narrator.trained_on(found.name, scores.trained_on)
        figures, where = scores.figures(), reviews
    print_figures(console, figures, title=f"{found.name} on {where}")
    if json_path is not None:
        write_json(json_path, figures)
