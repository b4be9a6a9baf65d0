"""A version from the hub: its manifest first, then what that names, checked before it is a version.

The files are downloaded to the hub's local cache, which keeps what a kill interrupts, and below
models/ appears the whole version or nothing.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

import torch
from huggingface_hub.errors import (
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from classifier.data.hub import hub_address, hub_unreachable
from classifier.data.hub_files import SILENCE_SECONDS, Repository, repository_files
from classifier.errors import ClassifierError, DiskFullError
from classifier.files import link_or_copy, sha256
from classifier.modeling import modeling_kinorate
from classifier.modeling.saving import MODELING_FILE
from classifier.registry.registry import Registry
from classifier.registry.version import MANIFEST, Version, parsed_stamp, version_name
from classifier.reports.model_card import model_card
from classifier.serving.predictor import Predictor
from classifier.sharing.layout import may_leave

_LARGEST = 50 * 2**30  # bytes of a version; more is a mistake, or meant to fill the disk


@dataclass(frozen=True)
class Pulled:
    version: Version
    commit: str
    is_new: bool  # otherwise it was here already
    other_code: list[str]  # files that transformers would run, and that are not this package's


def _pulled(version: Version, commit: str, *, is_new: bool) -> Pulled:
    own = sha256(Path(str(modeling_kinorate.__file__)))
    code = [path for path in version.manifest() if PurePosixPath(path).name == MODELING_FILE]
    other = [path for path in code if sha256(version.path / path) != own]
    return Pulled(version, commit, is_new, other)


@dataclass(frozen=True)
class _Manifest:
    file: Path
    made: str
    files: dict[str, dict[str, Any]]


def pull(
    registry: Registry,
    name: str,
    revision: str,
    check: Callable[[Version], None],
) -> Pulled:
    """The version in the repository `name` at `revision`, a branch, a tag or a commit.

    Every file's SHA-256 is compared with the manifest's, and both models are loaded and asked.
    `check` raises anything for documents that it can't use.

    Raises ClassifierError; below the registry's folder nothing is left then.
    """
    if why_not := hub_unreachable():
        raise ClassifierError(f"{name} was not pulled: {why_not}.")
    repository = Repository(name, "model", [MANIFEST], revision=revision)
    manifest = _read(name, _fetched(repository, lambda _: None) / MANIFEST)
    commit = manifest.file.parent.name
    there = registry.root / version_name(manifest.made, manifest.file)
    if there.exists():
        version = registry.get(there.name)
        version.verify()
        return _pulled(version, commit, is_new=False)
    repository = Repository(name, "model", [MANIFEST, *manifest.files], revision=commit)

    def compare(folder: Path) -> None:
        for path, entry in manifest.files.items():
            file = folder / path
            if (file.stat().st_size, sha256(file)) != (entry["size"], entry["sha256"]):
                raise ClassifierError(f"{path} is not the file that its {MANIFEST} tells of.")

    folder = _fetched(repository, compare)
    made = parsed_stamp(manifest.made)
    assert made is not None
    with registry.stage(made) as staging:
        for path in manifest.files:
            link_or_copy(folder / path, staging.path / path)
        try:
            _check_version(Version(staging.path), check)
        except ClassifierError as error:
            why = str(error).replace(f"{staging.path}/", "")
            raise ClassifierError(f"{name} is no version that can be used: {why}") from error
        return _pulled(staging.publish(), commit, is_new=True)


def _fetched(repository: Repository, check: Callable[[Path], None]) -> Path:
    """The folder of the repository's files, with ClassifierErrors that are sentences."""
    name = repository.name
    try:
        return repository_files(
            repository, check, from_cache=False, silence_seconds=SILENCE_SECONDS
        )
    except DiskFullError:
        raise
    except ClassifierError as error:
        cause = error.__cause__
        if isinstance(cause, RevisionNotFoundError):
            why = f"it has no revision {repository.revision!r}"
        elif isinstance(cause, RepositoryNotFoundError):
            why = (
                f"{hub_address()} has no such model, or not for you: set HF_TOKEN for a private one"
            )
        elif isinstance(cause, RemoteEntryNotFoundError):
            why = f"it is no version: it has no {MANIFEST}"
        else:
            why = str(error).rstrip(".")
        raise ClassifierError(f"{name} was not pulled: {why}.") from error


def _read(name: str, file: Path) -> _Manifest:
    """The manifest, of whose files each may be in a version; ClassifierError for another's."""
    try:
        found = json.loads(file.read_bytes())
        made, files = found["made"], found["files"]
        total = sum(max(0, int(entry["size"])) for entry in files.values())
        at = parsed_stamp(made)
        sound = all(isinstance(one["sha256"], str) for one in files.values())
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        at, sound = None, False
    # One of the future would stay the newest.
    if not sound or at is None or at > datetime.now(UTC) + timedelta(days=1):
        raise ClassifierError(f"{name} holds no version: its {MANIFEST} is another program's.")
    for path in files:
        if not may_leave(path):
            raise ClassifierError(
                f"{name} holds no version: {path!r:.200} in its {MANIFEST} is no file of one."
            )
    if total > _LARGEST:
        raise ClassifierError(f"{name} holds no version: it would have {total:,} bytes.")
    return _Manifest(file, made, files)


def _check_version(version: Version, check: Callable[[Version], None]) -> None:
    """Raise ClassifierError for documents or models that the other commands would stumble over."""
    training, metrics, split = version.training(), version.metrics(), version.split()
    version.history()
    version.reference()
    try:
        check(version)
        model_card(training, metrics)
        ids = [one for part in ("train", "validation", "holdout") for one in split[part]]
        if not all(isinstance(one, str) for one in ids):
            raise TypeError("ids that are no texts")
    except Exception as error:  # documents of other shapes fail in as many ways
        why = " ".join(f"{type(error).__name__}: {error}".split())
        raise ClassifierError(f"its documents are not a version's ({why:.200}).") from error
    Predictor(version.path, torch.device("cpu")).predict(["Хороший фильм."])
