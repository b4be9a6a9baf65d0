"""`compare`: two versions on the same labelled reviews, pooling by pooling."""

from typing import Annotated

import typer
from rich.console import Console

from classifier.commands.options import (
    DEFAULT_CACHE,
    DEFAULT_MODELS,
    Cache,
    Json,
    Models,
    ReviewsSource,
)
from classifier.files import write_json
from classifier.registry.registry import Registry


def compare(
    first: Annotated[str, typer.Argument(help="A version, the beginning of one, or champion.")],
    second: Annotated[str, typer.Argument(help="Another.")],
    reviews: ReviewsSource,
    models: Models = DEFAULT_MODELS,
    cache: Cache = DEFAULT_CACHE,
    json_path: Json = None,
) -> None:
    """Two versions on the same labelled reviews: is the second better, pooling by pooling?"""
    from classifier.commands.quiet import quiet_libraries
    from classifier.commands.tables import print_figures, print_versus
    from classifier.evaluation.version_scores import score, versus
    from classifier.modeling.device import default_device
    from classifier.training.console import Narrator
    from classifier.training.experiment import read_reviews

    quiet_libraries()
    console = Console()
    narrator = Narrator(console)
    registry = Registry(models)
    versions = [registry.get(first), registry.get(second)]
    loaded = read_reviews(reviews, models, narrator)
    scored = []
    for version in versions:
        narrator.encoder(**version.training()["encoder"])
        scores = score(version, loaded, default_device(), cache)
        narrator.trained_on(version.name, scores.trained_on)
        print_figures(console, scores.figures(), title=f"{version.name} on {reviews}")
        scored.append(scores)
    comparison = versus(scored[0], scored[1])
    print_versus(console, comparison)
    if json_path is not None:
        figures = {scores.version: scores.figures() for scores in scored}
        write_json(json_path, {**figures, "comparison": comparison})
