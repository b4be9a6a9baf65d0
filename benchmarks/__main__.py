"""`python -m benchmarks training | serving | load | quality | feedback | audit | tables`."""

import importlib
import shlex
import sys
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.console import Console

from classifier.commands.options import (
    DEFAULT_CACHE,
    DEFAULT_MODELS,
    Cache,
    Models,
    ReviewsSource,
    Split,
    split_by,
)
from classifier.data.hub import DEFAULT_ENCODER
from classifier.errors import ClassifierError
from classifier.files import write_text
from classifier.memory import keep_freed_pages
from classifier.modeling.pooling import POOLINGS, Pooling
from classifier.registry.registry import CHAMPION

if TYPE_CHECKING:
    from benchmarks.results import Results

app = typer.Typer(
    name="python -m benchmarks",
    help="Measure Kinorate and its alternatives: same rows, same machine, in turns.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
_Plan = TypeVar("_Plan")
_WIDE = 160  # characters, where the output is a file: a narrow table would cut its figures

EncoderName = Annotated[str, typer.Option(help="A hub id, or a folder with a BERT.")]
Json = Annotated[
    Path | None,
    typer.Option(
        "--json", help="Where the results go; by default benchmarks/results/, by kind of processor."
    ),
]
Repeats = Annotated[int, typer.Option(min=1, help="How often each arm is measured.")]
Work = Annotated[
    Path | None,
    typer.Option(
        help="Where what is trained and its figures stay, so that a run can continue; in the cache "
        "by default. Empty it after a change of the code."
    ),
]
Arms = Annotated[
    list[str] | None, typer.Option("--arm", help="Only this arm; may be given several times.")
]


@app.command()
def training(
    reviews: ReviewsSource = "sample",
    rows: Annotated[int, typer.Option(min=16, help="Use at most this many reviews.")] = 2048,
    repeats: Repeats = 3,
    seconds: Annotated[float, typer.Option(min=0, help="Seconds of timed steps a turn.")] = 10.0,
    encoder: EncoderName = DEFAULT_ENCODER,
    cache: Cache = DEFAULT_CACHE,
    arms: Arms = None,
    path: Json = None,
) -> None:
    """Reviews a second in training, memory, and the share of what the processor can do."""
    from benchmarks import training as benchmark

    plan = benchmark.Plan(reviews, rows, repeats, seconds, encoder, cache)
    _measure(benchmark.run_arms, plan, (arms, benchmark.ARMS), path or _path_by_kind("training"))


@app.command()
def serving(
    reviews: ReviewsSource = "sample",
    rows: Annotated[int, typer.Option(min=8, help="How many reviews are answered.")] = 200,
    repeats: Repeats = 3,
    version: Annotated[str, typer.Option(help="The version that answers.")] = CHAMPION,
    models: Models = DEFAULT_MODELS,
    arms: Arms = None,
    path: Json = None,
) -> None:
    """Milliseconds a review, reviews a second, cold start, and the bot's memory."""
    from benchmarks import serving as benchmark

    plan = benchmark.Plan(reviews, rows, repeats, version, models)
    _measure(benchmark.run_arms, plan, (arms, benchmark.ARMS), path or _path_by_kind("serving"))


@app.command()
def load(
    reviews: ReviewsSource = "sample",
    processes: Annotated[
        list[int] | None,
        typer.Option(
            min=1,
            help="So many bots share the inbox; may be given several times. With more than one "
            "they are on a PostgreSQL server, which is started for it.",
        ),
    ] = None,
    retraining: Annotated[
        bool, typer.Option("--retraining", help="Measure beside a retraining too.")
    ] = False,
    whole: Annotated[
        bool,
        typer.Option(
            "--whole-retraining",
            help="Measure how long a retraining takes, beside an idle bot and beside one that "
            "answers at --rate.",
        ),
    ] = False,
    reasons: Annotated[
        bool,
        typer.Option("--reasons", help="Measure with the reasons of every third answer asked too."),
    ] = False,
    no_models: Annotated[
        bool,
        typer.Option(
            "--no-models",
            help="Measure models that take no time too, at 30 a second: what updates cost.",
        ),
    ] = False,
    rate: Annotated[
        float | None,
        typer.Option(min=0.01, help="Reviews a second; by default the highest held is searched."),
    ] = None,
    seconds: Annotated[float, typer.Option(min=1, help="How long a run sends reviews.")] = 30.0,
    bound: Annotated[
        float, typer.Option(min=0.01, help="Seconds within which 95 % are to be answered.")
    ] = 2.0,
    version: Annotated[str, typer.Option(help="The version that answers.")] = CHAMPION,
    models: Models = DEFAULT_MODELS,
    path: Json = None,
) -> None:
    """Reviews a second that the bot answers in time, sent as people do: at random moments."""
    from benchmarks import load as benchmark

    if whole and rate is None:
        raise ClassifierError("--whole-retraining takes a --rate, such as 5 reviews a second.")
    if whole and (reasons or no_models):
        raise ClassifierError("--whole-retraining goes with neither --reasons nor --no-models.")
    counts = processes or [1]
    plan = benchmark.Plan(reviews, version, models, rate, seconds, bound, max(counts) > 1, whole)
    names = benchmark.arms_of(
        counts, retraining=retraining, whole=whole, reasons=reasons, no_models=no_models
    )
    _show(benchmark.run_arms(Console(), plan, names, path or _path_by_kind(plan.name)))


@app.command()
def quality(
    reviews: ReviewsSource = "sample",
    test: Annotated[
        str | None,
        typer.Option(metavar="SOURCE", help="Judge on these; by default on the split's holdout."),
    ] = None,
    split: Split = "random",
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds to train with.")] = 3,
    encoder: EncoderName = DEFAULT_ENCODER,
    work: Work = None,
    train_options: Annotated[
        str, typer.Option(help="More for `python -m classifier train`, such as '--epochs 4'.")
    ] = "",
    cache: Cache = DEFAULT_CACHE,
    arms: Arms = None,
    path: Json = None,
) -> None:
    """Accuracy, F1 and the rating's error over several seeds. Continues an interrupted run."""
    from benchmarks import quality as benchmark

    options, work = tuple(shlex.split(train_options)), work or cache / "benchmarks"
    plan = benchmark.Plan(
        reviews, test, split_by(split), seeds, encoder, options=options, cache=cache, work=work
    )
    arms = arms or benchmark.USUAL
    _measure(benchmark.run_arms, plan, (arms, benchmark.ARMS), path or benchmark.path_of(plan))


@app.command()
def feedback(
    reviews: ReviewsSource = "sample",
    test: Annotated[
        str | None,
        typer.Option(metavar="SOURCE", help="Judge on these; by default on some of the reviews."),
    ] = None,
    test_rows: Annotated[int, typer.Option(min=10, help="Of these at most so many.")] = 1000,
    start: Annotated[int, typer.Option(min=8, help="Reviews that the first models know.")] = 500,
    rounds: Annotated[int, typer.Option(min=1, help="How often they are trained anew.")] = 5,
    sent: Annotated[int, typer.Option(min=2, help="Reviews that users send in a round.")] = 500,
    taps: Annotated[int, typer.Option(min=1, help="Of these, how many are rated.")] = 100,
    seeds: Annotated[int, typer.Option(min=1, help="How often all of it is replayed.")] = 3,
    epochs: Annotated[int, typer.Option(min=1, help="Of each training.")] = 3,
    tokens: Annotated[int, typer.Option(min=8, help="That the models read of a review.")] = 256,
    pooling: Annotated[
        Pooling | None,
        typer.Option(help="Judge by this alone: half of the time. By default by the mean of both."),
    ] = None,
    encoder: EncoderName = DEFAULT_ENCODER,
    work: Work = None,
    cache: Cache = DEFAULT_CACHE,
    arms: Arms = None,
    path: Json = None,
) -> None:
    """Whose rating to ask for: at random, or by a score. Continues an interrupted run."""
    from benchmarks import feedback as benchmark
    from benchmarks.replay import Size

    poolings = (pooling,) if pooling else POOLINGS
    size = Size(start, rounds, sent, taps, epochs, tokens, poolings)
    work = work or cache / "benchmarks"
    plan = benchmark.Plan(reviews, test, test_rows, size, seeds, encoder, cache, work)
    _measure(benchmark.run_arms, plan, (arms, benchmark.ARMS), path or benchmark.path_of(plan))


@app.command()
def audit(
    reviews: ReviewsSource = "sample",
    rows: Annotated[int, typer.Option(min=40, help="Use at most this many reviews.")] = 2000,
    share: Annotated[
        float, typer.Option(min=0.001, max=0.5, help="Of the labels, how many are made wrong.")
    ] = 0.05,
    encoder: EncoderName = DEFAULT_ENCODER,
    work: Work = None,
    cache: Cache = DEFAULT_CACHE,
    path: Json = None,
) -> None:
    """Labels made wrong on purpose that the audit finds. Continues an interrupted run."""
    from benchmarks import audit as benchmark
    from classifier.files import write_json

    work = work or cache / "benchmarks" / "audit"
    found = benchmark.measure(benchmark.Plan(reviews, rows, share, encoder, cache, work))
    Console().print(benchmark.sentence(found), highlight=False, soft_wrap=True)
    if path is not None:
        write_json(path, found)


@app.command()
def tables(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; fail where README differs.")
    ] = False,
    readme: Annotated[Path, typer.Option(help="The file to write to.")] = Path("README.md"),
    results: Annotated[Path | None, typer.Option(help="The folder of the results.")] = None,
) -> None:
    """Write README's tables from the results."""
    from benchmarks import RESULTS
    from benchmarks.tables import with_tables

    text = readme.read_text(encoding="utf-8")
    wanted = with_tables(text, results or RESULTS)
    if wanted == text:
        return
    if check:
        problem = f"The tables of {readme} are not those of the results"
        raise ClassifierError(f"{problem}: python -m benchmarks tables")
    write_text(readme, wanted)


def _path_by_kind(name: str) -> Path:
    from benchmarks.machine import path_by_kind

    return path_by_kind(name)


def _measure(
    run_arms: "Callable[[Console, _Plan, list[str], Path], Results]",
    plan: _Plan,
    arms: tuple[list[str] | None, Collection[str]],
    path: Path,
) -> None:
    """Run the arms that were named, or all that there are, and show their table."""
    try:
        importlib.import_module("accelerate")  # transformers' Trainer needs it
    except ImportError as error:
        raise ClassifierError(
            "The benchmarks need the packages for development, accelerate among them: "
            "pip install --require-hashes --no-deps -r requirements-dev.lock"
        ) from error
    from classifier.commands.quiet import quiet_libraries

    named, known = arms
    if unknown := sorted(set(named or []) - set(known)):
        raise ClassifierError(f"--arm {unknown[0]}: there are {'; '.join(known)}.")
    quiet_libraries()
    _show(run_arms(Console(), plan, named or list(known), path))


def _show(results: "Results") -> None:
    """The table; ClassifierError where a run failed."""
    from benchmarks.tables import table_of

    console = Console()
    if not console.is_terminal:
        console.width = _WIDE
    table_of(results.document).show(console)
    console.print(f"Written to {results.path}", highlight=False, soft_wrap=True)
    if failed := results.failed():
        raise ClassifierError(f"Some runs failed: {', '.join(failed)}.")


def main() -> None:
    """Run a command; an error that the user can correct is one sentence and exit status 1."""
    errors = Console(stderr=True, soft_wrap=True)
    keep_freed_pages()  # `feedback` trains in this process; what others measure has its own
    try:
        app()
    except ClassifierError as error:
        errors.print(f"Error: {error}", style="bold red", markup=False, highlight=False)
        sys.exit(1)


if __name__ == "__main__":
    main()
