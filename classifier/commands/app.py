"""The typer application, and how errors end it."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console

from classifier.commands import (
    audit,
    evaluate,
    export,
    leaderboard,
    models,
    predict,
    retrain,
    train,
)
from classifier.data.hub import check_address
from classifier.data.text_lines import is_broken
from classifier.errors import ClassifierError, DiskFullError, Interrupted
from classifier.files import means_full_disk
from classifier.interruption import ignore_interruptions, raise_interruptions

_INTERRUPTED = 130  # 128 + SIGINT, as shells have it

app = typer.Typer(
    name="python -m classifier",
    help="Two poolings of one encoder on Russian film reviews: train, evaluate, compare, predict.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(train.train)
app.command(help=retrain.HELP)(retrain.retrain)
app.command()(evaluate.evaluate)
app.command()(evaluate.compare)
app.command()(predict.predict)
app.command()(export.export)
app.command()(leaderboard.leaderboard)
app.command()(audit.audit)
app.add_typer(models.app, name="models")


def main() -> None:
    """Run a command; what the user can correct is one sentence and exit status 1."""
    errors = Console(stderr=True, soft_wrap=True, style="bold", markup=False, highlight=False)
    try:
        raise_interruptions()
        _run(errors)
    except Interrupted as interruption:
        errors.print(str(interruption))
        sys.exit(_INTERRUPTED)
    finally:
        ignore_interruptions()  # what there was to do is done


def _run(errors: Console) -> None:
    try:
        try:
            with _all_written():
                _check_arguments()
                check_address()
                app()
        except BrokenPipeError:  # the reader has had enough, as in `… | head`
            sys.exit(1)
        except OSError as error:
            if means_full_disk(error):
                raise DiskFullError(error.filename or "the standard output") from error
            if error.strerror is None:
                raise
            where = f"{error.filename}: " if error.filename else ""
            raise ClassifierError(f"{where}{error.strerror}.") from error
    except ClassifierError as error:
        ignore_interruptions()  # it has ended, and says so once
        errors.print(f"Error: {error}", style="red")
        sys.exit(1)


def _check_arguments() -> None:
    """Refuse what could be neither printed nor written to a file of figures."""
    for argument in sys.argv[1:]:
        if is_broken(argument):
            raise ClassifierError(f"An argument is not UTF-8: {os.fsencode(argument)!r:.200}.")


@contextmanager
def _all_written() -> Iterator[None]:
    """Write out all that was printed, or fail while the reason can still be given.

    What is left until the interpreter ends fails there, in Python's words and with its status.
    """
    try:
        yield
    finally:
        try:
            if sys.stdout is not None:  # None where it was closed: `>&-`
                sys.stdout.flush()
        except OSError:
            # Otherwise the interpreter would try once more: see Python's "Note on SIGPIPE".
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise
