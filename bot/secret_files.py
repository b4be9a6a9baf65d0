"""Secrets as files: a folder with a file for each, such as Docker's /run/secrets."""

from collections.abc import Collection, Iterator
from pathlib import Path


def problems_of(folder: Path, names: Collection[str]) -> Iterator[str]:
    """Sentences about what keeps settings from being read from the folder's files.

    pydantic-settings reads the files themselves, and passes over one that is not as it should be.
    """
    try:
        files = sorted(folder.iterdir())
    except OSError as error:
        yield f"SECRETS_DIR must name a folder that can be read: {folder}: {error.strerror}."
        return
    for file in files:
        if file.name.lower() in names and (problem := _problem_of(file, folder)):
            yield f"{file.name.upper()} can't be read from {file}: {problem}."


def _problem_of(file: Path, folder: Path) -> str | None:
    try:
        if not file.read_text("utf-8").strip():
            return "the file is empty"
        if not file.resolve().is_relative_to(folder.resolve()):
            return "it is a link to a file outside of the folder"
    except IsADirectoryError:
        return "it is a folder, which Docker makes where the file to mount is missing"
    except UnicodeDecodeError:
        return "it must be text in UTF-8"
    except OSError as error:
        return error.strerror or str(error)
    return None
