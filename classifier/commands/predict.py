"""`predict`: a text, a prompt, lines from standard input, or a file of any size."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import asdict
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from classifier.commands.options import DEFAULT_MODELS, Columns, Json, Models, try_outputs
from classifier.data.decoding import decode
from classifier.data.schema import Schema
from classifier.errors import ClassifierError
from classifier.files import write_json
from classifier.interruption import going_on
from classifier.progress import progress
from classifier.registry.registry import CHAMPION, Registry

if TYPE_CHECKING:
    from classifier.commands.answers import Phrases
    from classifier.modeling.pooling import Pooling
    from classifier.serving.predictor import Prediction, Predictor


def predict(
    text: Annotated[
        str | None,
        typer.Argument(help="A review. Without it: a prompt, or standard input, a review a line."),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            help="Predict a whole file: .jsonl, .csv, .parquet or .txt, each also .gz; a pipe, or "
            "- for standard input."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Where the rows of --file go, with predictions: .jsonl, .csv or .parquet, each "
            "also .gz; a pipe, or - for standard output, gets JSON lines."
        ),
    ] = None,
    columns: Columns = "",
    explain: Annotated[
        bool, typer.Option("--explain", help="Say which sentences pull each answer, too.")
    ] = False,
    version: Annotated[str, typer.Option(help="Which version predicts.")] = CHAMPION,
    models: Models = DEFAULT_MODELS,
    json_path: Json = None,
) -> None:
    """Rate reviews with both models."""
    if (file is None) != (out is None):
        raise ClassifierError("--file and --out go together: from where, and where to.")
    if file is not None and text is not None:
        raise ClassifierError("Either a text or --file, not both.")
    if file is not None and explain:
        raise ClassifierError("--explain is of single reviews; --file has none.")
    if file is not None and json_path is not None:
        raise ClassifierError("--json is of single reviews; of a file all goes to --out.")
    try_outputs(None if out == Path("-") else out)
    try_outputs(json_path)
    found = Registry(models).get(version)
    # Its files are hashed while torch is imported: a tenth of a cold start otherwise.
    with ThreadPoolExecutor(1) as beside:
        verified = beside.submit(found.verify)
        from classifier.commands.quiet import quiet_libraries
        from classifier.modeling.device import default_device
        from classifier.serving.predictor import Predictor

        quiet_libraries()
        verified.result()
    predictor = Predictor(found.path, default_device())
    if file is not None and out is not None:
        _predict_file(predictor, file, out, Schema(columns))
        return
    from classifier.commands.answers import phrases

    say = phrases()
    texts = _typed(say) if text is None else iter([text])
    answered = list(_answered(predictor, texts, say, explain))
    if json_path is not None:
        write_json(json_path, answered)
    if text is not None and not answered:
        raise ClassifierError(say.nothing)


def _answered(
    predictor: "Predictor", texts: Iterator[str], say: "Phrases", explain: bool
) -> Iterator[dict[str, Any]]:
    """Answer each text as it comes; gives what was answered, ready for JSON."""
    from classifier.commands.answers import answer, why
    from classifier.data.cleaning import has_letters
    from classifier.explanation.reasons import explanation_of

    for text in texts:
        if not has_letters(predictor.seen(text)):
            print(say.nothing)
            continue
        predictions = predictor.predict([text])[0]
        print(answer(predictions, say), flush=True)
        answered: dict[str, Any] = {"text": text}
        answered |= {name: asdict(found) for name, found in predictions.items()}
        if explain:
            explanation = explanation_of(predictor.predict, text)
            print(why(explanation, say), flush=True)
            answered["reasons"] = {
                name: asdict(reasons) for name, reasons in explanation.by_model.items()
            }
        yield answered


def _typed(say: "Phrases") -> Iterator[str]:
    """What is typed at a prompt, until an empty line; or piped in, a review a line."""
    if sys.stdin is None:  # closed: `<&-`
        return
    if not sys.stdin.isatty():
        yield from _piped()
        return
    import readline

    readline.parse_and_bind("set enable-bracketed-paste on")  # a pasted review keeps its paragraphs
    print(say.welcome)
    while True:
        try:
            typed = input(say.prompt).strip()
        except EOFError:
            print()
            typed = ""
        if not typed:
            print(say.goodbye)
            return
        yield typed


def _piped() -> Iterator[str]:
    """The lines of standard input that are not blank, as they come."""
    for number, line in enumerate(sys.stdin.buffer, 1):
        text = decode(line)
        if text is None:
            raise ClassifierError(
                f"Standard input, line {number}: it is not UTF-8, and what else is not certain."
            )
        if text.strip():
            yield text.strip()


def _predict_file(predictor: "Predictor", file: Path, out: Path, schema: Schema) -> None:
    from classifier.data.cleaning import has_letters
    from classifier.serving.bulk import predict_file
    from classifier.serving.bulk_source import is_pipe

    def predict(texts: list[str]) -> "list[dict[Pooling, Prediction] | None]":
        is_read = [has_letters(predictor.seen(text)) for text in texts]
        predicted = iter(predictor.predict(list(compress(texts, is_read))))
        return [next(predicted) if read else None for read in is_read]

    goes_on = nullcontext() if is_pipe(file) or is_pipe(out) else going_on()
    with progress(file.name, Console(stderr=True)) as report, goes_on:
        result = predict_file(
            predict,
            file,
            out,
            version=predictor.version,
            on_progress=lambda done, total: report(done, total, file.name),
            schema=schema,
        )
    said = (
        f"{out}: {result.predicted:,} reviews predicted, {result.resumed:,} were there already, "
        f"{result.rejected:,} rows can't be used (see their error)."
    )
    if result.renamed:
        said += (
            f" Columns named as ours got input_ before their names: {', '.join(result.renamed)}."
        )
    print(said, file=sys.stderr if out == Path("-") else sys.stdout)
