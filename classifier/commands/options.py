"""Options that several commands share."""

import os
from pathlib import Path
from typing import Annotated

import typer

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

DEFAULT_MODELS = Path("models")
DEFAULT_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kinorate"
