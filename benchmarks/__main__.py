"""`python -m benchmarks training | serving | quality | tables`."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from classifier.commands.options import DEFAULT_CACHE, DEFAULT_MODELS, Cache, Models
from classifier.errors import ClassifierError
from classifier.files import write_text
from classifier.registry.registry import CHAMPION

if TYPE_CHECKING:
    from benchmarks.results import Results

app = typer.Typer(
    name="python -m benchmarks",
    help="Kinorate beside what one would take instead: same rows, same machine, in turns.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
_ENCODER = "cointegrated/rubert-tiny2"  # as `classifier train` has it

ReviewsSource = Annotated[
    str, typer.Option(metavar="SOURCE", help="sample, hub, auto or a file of reviews.")
]
EncoderName = Annotated[str, typer.Option(help="A hub id, or a folder with a BERT.")]
Json = Annotated[
    Path | None,
    typer.Option("--json", help="Where the results go; benchmarks/results/ by default."),
]
Repeats = Annotated[int, typer.Option(min=1, help="How often each arm has its turn.")]
Arms = Annotated[
    list[str] | None, typer.Option("--arm", help="Only this arm; may be given several times.")
]


@app.command()
def training(
    reviews: ReviewsSource = "sample",
    rows: Annotated[int, typer.Option(min=16, help="Use a subset of so many reviews.")] = 2048,
    repeats: Repeats = 3,
    seconds: Annotated[float, typer.Option(min=0, help="Of timed steps in a turn.")] = 10.0,
    encoder: EncoderName = _ENCODER,
    cache: Cache = DEFAULT_CACHE,
    arms: Arms = None,
    path: Json = None,
) -> None:
    """Reviews a second in training, memory, and the share of what the processor can do."""
    from benchmarks import training as benchmark
    from classifier.commands.quiet import quiet_libraries
    from classifier.modeling.encoders import find_encoder

    quiet_libraries()
    console = Console()
    results = benchmark.run_arms(
        console,
        reviews=reviews,
        limit=rows,
        repeats=repeats,
        seconds=seconds,
        encoder=find_encoder(encoder, cache),
        cache=cache,
        names=_chosen(arms, list(benchmark.ARMS)),
        path=path,
    )
    benchmark.show(console, results)
    _end(console, results)


@app.command()
def serving(
    reviews: ReviewsSource = "sample",
    rows: Annotated[int, typer.Option(min=8, help="How many reviews are answered.")] = 200,
    repeats: Repeats = 3,
    version: Annotated[str, typer.Option(help="Which version answers.")] = CHAMPION,
    models: Models = DEFAULT_MODELS,
    arms: Arms = None,
    path: Json = None,
) -> None:
    """Milliseconds a review, reviews a second, cold start, and the bot's memory."""
    from benchmarks import serving as benchmark
    from classifier.commands.quiet import quiet_libraries

    quiet_libraries()
    console = Console()
    results = benchmark.run_arms(
        console,
        reviews=reviews,
        count=rows,
        repeats=repeats,
        version=version,
        models=models,
        names=_chosen(arms, list(benchmark.ARMS)),
        path=path,
    )
    benchmark.show(console, results)
    _end(console, results)


@app.command()
def quality(
    reviews: ReviewsSource = "sample",
    test: Annotated[
        str | None,
        typer.Option(metavar="SOURCE", help="Judge on these; by default on the split's holdout."),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1)] = 3,
    encoder: EncoderName = _ENCODER,
    work: Annotated[
        Path | None,
        typer.Option(
            help="Where what is trained stays, so that a run can go on; in the cache by default. "
            "Empty it after a change of the code."
        ),
    ] = None,
    train_options: Annotated[
        str, typer.Option(help="More for `python -m classifier train`, such as '--epochs 4'.")
    ] = "",
    cache: Cache = DEFAULT_CACHE,
    arms: Arms = None,
    path: Json = None,
) -> None:
    """Accuracy, F1 and the rating's error, over several seeds. Goes on where it was stopped."""
    from benchmarks import quality as benchmark
    from classifier.commands.quiet import quiet_libraries

    quiet_libraries()
    console = Console()
    plan = benchmark.Plan(
        reviews=reviews,
        test=test,
        encoder=encoder,
        options=tuple(shlex.split(train_options)),
        cache=cache,
        work=work or cache / "benchmarks",
    )
    wanted = _chosen(arms, list(benchmark.ARMS)) if arms else list(benchmark.USUAL)
    results = benchmark.run_arms(console, plan, seeds=seeds, names=wanted, path=path)
    benchmark.show(console, results)
    _end(console, results)


@app.command()
def tables(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; fail where README differs.")
    ] = False,
    readme: Annotated[Path, typer.Option(help="Whose tables.")] = Path("README.md"),
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
        raise ClassifierError(
            f"The tables of {readme} are not those of the results: python -m benchmarks tables"
        )
    write_text(readme, wanted)


def _end(console: Console, results: "Results") -> None:
    """Say where the results are; exit status 1 where an arm failed."""
    console.print(f"Written to {results.path}", highlight=False, soft_wrap=True)
    failed = results.failed()
    if failed:
        raise ClassifierError(f"Not every run went well: {', '.join(failed)}.")


def _chosen(wanted: list[str] | None, there: list[str]) -> list[str]:
    unknown = sorted(set(wanted or []) - set(there))
    if unknown:
        raise ClassifierError(f"--arm {unknown[0]}: there are {'; '.join(there)}.")
    return wanted or there


def main() -> None:
    """Run a command; what the user can mend is one sentence and exit status 1."""
    errors = Console(stderr=True, soft_wrap=True)
    try:
        app()
    except ClassifierError as error:
        errors.print(f"Error: {error}", style="bold red", markup=False, highlight=False)
        sys.exit(1)


if __name__ == "__main__":
    main()
