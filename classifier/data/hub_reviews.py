"""The file of blinoff/kinopoisk, from the hub or its local cache, whatever the hub does."""

from pathlib import Path

from classifier.data.hub_files import SILENCE_SECONDS, Repository, repository_files
from classifier.data.readers import read_rows
from classifier.data.schema import COLUMNS
from classifier.errors import ClassifierError

REPOSITORY = "blinoff/kinopoisk"
_FILE = "kinopoisk.jsonl"


def hub_file(*, from_cache: bool, silence_seconds: float = SILENCE_SECONDS) -> Path:
    """The repository's file, as `repository_files` finds it."""
    repository = Repository(REPOSITORY, "dataset", [_FILE])
    folder = repository_files(
        repository, _check, from_cache=from_cache, silence_seconds=silence_seconds
    )
    return folder / _FILE


def _check(folder: Path) -> None:
    first = next(read_rows(folder / _FILE, COLUMNS), None)
    if not isinstance(first, tuple) or "content" not in first[1]:
        raise ClassifierError(f"{_FILE} holds no reviews")
