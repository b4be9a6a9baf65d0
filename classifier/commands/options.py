"""Options that several commands share."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from classifier.errors import ClassifierError
from classifier.files import make_folder, try_to_write

if TYPE_CHECKING:  # --help does without the library of datasets
    from classifier.data.splits import By

Models = Annotated[Path, typer.Option(help="The folder of model versions.")]
Cache = Annotated[
    Path, typer.Option(envvar="KINORATE_CACHE", help="Where unpacked encoders and token ids stay.")
]
Json = Annotated[
    Path | None, typer.Option("--json", metavar="PATH", help="Write the figures there as well.")
]
VersionName = Annotated[str, typer.Argument(help="A version, the beginning of one, or champion.")]
ReviewsSource = Annotated[
    str,
    typer.Option(
        metavar="SOURCE",
        help="hub, sample, auto (hub, else its local cache, else the sample), or a file: "
        ".jsonl, .csv or .parquet, each also .gz.",
    ),
]
EncoderName = Annotated[
    str,
    typer.Option(
        help="A hub id, maybe with @commit, or a folder: any encoder that reads both ways, in "
        "safetensors, with a fast tokenizer."
    ),
]
Columns = Annotated[
    str,
    typer.Option(
        metavar="OURS=THEIRS,…",
        help="What columns of a file are called: content=text,grade3=label,grade10=stars; "
        "review_id, movie_name and weight likewise.",
    ),
]
Labels = Annotated[
    str,
    typer.Option(
        metavar="THEIRS=OURS,…",
        help='What labels of a file mean: "Yes=Good,No=Bad,So-so=Neutral", with nothing after = '
        "for one to leave out. Usual ones are known: positive, neg, хороший, 1 / 0 / -1.",
    ),
]
Scale = Annotated[
    str,
    typer.Option(
        metavar="HIGHEST",
        help="What the ratings of a file go up to, if not to 10: 5, 100; or 1-5, from where to "
        "where. A row may say it too: 4/5.",
    ),
]
Split = Annotated[
    str, typer.Option(help="random, or film: no film in two parts, the honest figure.")
]
Limit = Annotated[
    int | None, typer.Option(min=1, help="Use a stratified subset of so many reviews.")
]
Epochs = Annotated[
    int | None,
    typer.Option(min=1, help="3 by default. If given, few reviews are not mixed into more."),
]
MaxTokens = Annotated[
    int | None, typer.Option(min=8, help="What is read of a review; 1,024 by default.")
]
Progress = Annotated[
    bool, typer.Option("--progress", help="Say how it goes in lines of JSON, for a program.")
]

DEFAULT_MODELS = Path("models")
DEFAULT_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kinorate"


def split_by(split: str) -> "By":
    """What --split means; ClassifierError for anything else than random and film."""
    if split == "random":
        return "random"
    if split == "film":
        return "film"
    raise ClassifierError(f"--split {split}: there are random and film.")


def try_outputs(written: Path | None, models: Path | None = None) -> None:
    """Raise ClassifierError now for what a command could not write at the end of its work.

    `models` is the folder of versions, for a command that adds to it.
    """
    if written is not None:
        try_to_write(written)
    if models is not None:
        make_folder(models)
