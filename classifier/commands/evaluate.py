"""`evaluate` and `compare`: one version, or two, on labelled reviews."""

from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from classifier.commands.options import (
    DEFAULT_CACHE,
    DEFAULT_MODELS,
    Cache,
    Columns,
    Json,
    Labels,
    Models,
    ReviewsSource,
    Scale,
    VersionName,
    try_outputs,
)
from classifier.data.schema import Schema
from classifier.errors import ClassifierError
from classifier.files import write_json
from classifier.registry.registry import Registry
from classifier.registry.version import Version

if TYPE_CHECKING:
    from classifier.data.reviews import Reviews
    from classifier.evaluation.version_scores import Scores
    from classifier.training.console import CommandConsole


def evaluate(
    version: VersionName,
    reviews: Annotated[
        str | None,
        typer.Option(
            metavar="SOURCE",
            help="A file, hub, sample or auto. Without it: the figures on the version's own "
            "holdout, as they were when it was trained.",
        ),
    ] = None,
    columns: Columns = "",
    labels: Labels = "",
    scale: Scale = "",
    explanations: Annotated[
        int,
        typer.Option(
            min=0,
            help="Also test on so many reviews of --reviews, and on as many made-up texts, if "
            "reasons are true.",
        ),
    ] = 0,
    models: Models = DEFAULT_MODELS,
    cache: Cache = DEFAULT_CACHE,
    json_path: Json = None,
) -> None:
    """Both models of a version on labelled reviews: all figures, and which is better."""
    from classifier.commands.tables import print_figures

    if explanations and reviews is None:
        raise ClassifierError("--explanations needs --reviews: the texts to explain.")
    try_outputs(json_path)
    console = _console()
    found = Registry(models).get(version)
    if reviews is None:
        console.encoder(**found.training()["encoder"])
        figures = found.metrics()
        print_figures(console.rich, figures, title=f"{found.name} on its own holdout")
    else:
        rows = console.read_reviews(reviews, None, Schema(columns, labels, scale))
        figures = _scored(found, rows, console, cache).figures()
        if explanations:
            texts = list(rows.rows["content"])[:explanations]
            figures["explanations"] = _explained(found, texts, explanations, console)
    if json_path is not None:
        write_json(json_path, figures)


def compare(
    first: VersionName,
    second: Annotated[str, typer.Argument(help="Another.")],
    reviews: ReviewsSource,
    columns: Columns = "",
    labels: Labels = "",
    scale: Scale = "",
    models: Models = DEFAULT_MODELS,
    cache: Cache = DEFAULT_CACHE,
    json_path: Json = None,
) -> None:
    """Two versions on the same labelled reviews: is the second better, pooling by pooling?"""
    from classifier.commands.tables import print_versus
    from classifier.evaluation.version_scores import versus

    try_outputs(json_path)
    console = _console()
    versions = [Registry(models).get(name) for name in (first, second)]
    rows = console.read_reviews(reviews, None, Schema(columns, labels, scale))
    scored = [_scored(version, rows, console, cache) for version in versions]
    comparison = versus(scored[0], scored[1])
    print_versus(console.rich, comparison)
    if json_path is not None:
        figures = {scores.version: scores.figures() for scores in scored}
        write_json(json_path, {**figures, "comparison": comparison})


def _console() -> "CommandConsole":
    from classifier.commands.quiet import quiet_libraries
    from classifier.training.console import CommandConsole

    quiet_libraries()
    return CommandConsole()


def _scored(
    version: Version, reviews: "Reviews", console: "CommandConsole", cache: Path
) -> "Scores":
    """A version's scores, printed, with a warning where it has seen the reviews before."""
    from classifier.commands.tables import print_figures
    from classifier.evaluation.version_scores import score
    from classifier.modeling.device import default_device
    from classifier.registry.provenance import knows_its_reviews

    console.encoder(**version.training()["encoder"])
    scores = score(version, reviews.rows, default_device(), cache)
    if scores.trained_on:
        console.warn(
            f"{version.name} was trained on reviews with the ids of {scores.trained_on:,} of "
            "these: if they are the same, its figures flatter it."
        )
    if not knows_its_reviews(version):
        console.warn(
            f"{version.name} came from the hub without the ids of its reviews: if it was trained "
            "on some of these, its figures flatter it."
        )
    print_figures(console.rich, scores.figures(), title=f"{version.name} on {reviews.source}")
    return scores


def _explained(
    version: Version, texts: list[str], made_up: int, console: "CommandConsole"
) -> dict[str, Any]:
    """Whether the version's reasons are true, on these and on so many made-up texts; printed."""
    from classifier.commands.tables import print_faithfulness
    from classifier.evaluation.faithfulness import faithfulness
    from classifier.evaluation.judging_sentences import naming
    from classifier.modeling.device import default_device
    from classifier.progress import progress
    from classifier.serving.predictor import Predictor

    predict, title = Predictor(version.path, default_device()).predict, "explanations"
    all_texts, done = len(texts) + made_up, count(1)
    with progress(title, console.rich) as report:

        def on_text() -> None:
            report(next(done), all_texts, title)

        figures = faithfulness(predict, texts, on_text=on_text)
        figures["made_up"] = naming(predict, made_up, on_text)
    print_faithfulness(console.rich, figures)
    return figures
