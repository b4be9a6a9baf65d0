"""`export`: a version as ONNX models, in a folder that needs neither this package nor torch."""

from pathlib import Path
from typing import Annotated, Any

import typer

from classifier.commands.options import (
    DEFAULT_CACHE,
    DEFAULT_MODELS,
    Cache,
    Models,
    VersionName,
)
from classifier.errors import ClassifierError
from classifier.registry.registry import Registry


def export(
    version: VersionName,
    folder: Annotated[Path, typer.Argument(help="A new folder, or an empty one.")],
    int8: Annotated[
        bool, typer.Option("--int8", help="Add models of a quarter of the size, with int8 weights.")
    ] = False,
    models: Models = DEFAULT_MODELS,
    cache: Cache = DEFAULT_CACHE,
) -> None:
    """Write a version as ONNX, with an example that needs onnxruntime and tokenizers alone.

    Each model is compared with the version's, and refused if it answers anything else.
    """
    found = Registry(models).get(version)
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise ClassifierError(
            f"export needs {error.name}, which is not installed: the onnx extra has it, "
            "pip install -e '.[onnx]' in the project's folder."
        ) from None
    from classifier.commands.quiet import quiet_libraries
    from classifier.export.folder import export as write
    from classifier.training.console import CommandConsole

    quiet_libraries()
    console = CommandConsole()
    parity = write(found, folder, int8=int8, cache=cache, say=console.say)
    for name, file in parity["files"].items():
        console.say(f"  {_line(name, file)}")
    console.conclude(f"{folder}: see README.md there, and: python {folder / 'example.py'} TEXT")


def _line(name: str, file: dict[str, Any]) -> str:
    from classifier.evaluation.figures import METRICS, figure

    line = (
        f"{name}: {file['bytes'] / 1e6:.1f} MB; a logit differs by at most "
        f"{file['largest_logit_difference']:.1e} on {file['texts']} texts"
    )
    if "figures" in file:
        line += f"; on {file['rows']:,} reviews " + ", ".join(
            f"{METRICS[metric].name} {figure(value)}, the version's "
            f"{figure(file['figures_of_the_version'][metric])}"
            for metric, value in file["figures"].items()
        )
    return f"{line}."
