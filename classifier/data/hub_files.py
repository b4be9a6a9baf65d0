"""Files of a repository from the hub or its local cache, whatever the hub does."""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from huggingface_hub import constants, get_hf_file_metadata, hf_hub_download, hf_hub_url
from huggingface_hub.errors import LocalEntryNotFoundError, RemoteEntryNotFoundError
from huggingface_hub.utils.tqdm import tqdm

from classifier.data.hub import hub_address, why_failed
from classifier.data.hub_watch import Signs, watched
from classifier.errors import ClassifierError, DiskFullError
from classifier.files import means_full_disk, sha256

SILENCE_SECONDS = 9.0
_CHUNK = 2**16  # bytes; with chunks of 10 MB, the library's, a slow download is not seen to grow


@dataclass(frozen=True)
class Repository:
    """Files of the hub that are used together."""

    name: str  # owner/name
    kind: Literal["model", "dataset"]
    required: Sequence[str]
    optional: Sequence[str] = ()
    revision: str = constants.DEFAULT_REVISION  # a branch, or a commit, whose files never change


def repository_files(
    repository: Repository,
    check: Callable[[Path], None],
    *,
    from_cache: bool,
    silence_seconds: float = SILENCE_SECONDS,
) -> Path:
    """The folder of the repository's files; with `from_cache` those downloaded before.

    A download may take as long as it needs, but is given up when less than a chunk has arrived
    for `silence_seconds`.

    `check` raises ClassifierError for a folder whose files are not what they should be: they are
    then removed, if they were just downloaded, for a proxy may have sent them.

    Raises ClassifierError, its message a phrase that says why, and DiskFullError.
    """
    try:
        if from_cache:
            files = _fetch(repository, repository.revision, cached=True)
        else:
            files = _watched(repository, silence_seconds)
    except Exception as error:  # httpx2's, which are no OSError, among them
        if means_full_disk(error):
            raise DiskFullError(constants.HF_HUB_CACHE) from error
        if isinstance(error, ClassifierError):
            raise
        raise ClassifierError(why_failed(error, repository.name)) from error
    folder = files[0].parent
    try:
        check(folder)
    except ClassifierError as error:
        if not from_cache:
            for file in files:
                _remove(file)
        raise ClassifierError(f"{repository.name} from the hub is damaged: {error}") from error
    return folder


def _watched(repository: Repository, silence_seconds: float) -> list[Path]:
    def download(signs: Signs) -> list[Path]:
        class Bar(tqdm):
            received = furthest = 0.0  # bytes; the library begins again where the file was cut

            def update(self, n: float | None = 1) -> bool | None:
                signs.check()
                self.received += n or 0
                if self.received > self.furthest:
                    self.furthest = self.received
                    signs.alive()
                shown: bool | None = super().update(n)
                return shown

        commit = _commit_of(repository)
        signs.alive()
        files = _fetch(repository, commit, Bar)
        # Only now that all of them are there the cache may say that they are the newest.
        _file(repository, repository.required[0], repository.revision)
        return files

    return watched(download, silence_seconds)


def is_commit(revision: str) -> bool:
    return re.fullmatch("[0-9a-f]{40}", revision) is not None


def _commit_of(repository: Repository) -> str:
    """Raises where the hub doesn't answer: `hf_hub_download` would take the cache in silence."""
    address, first = hub_address(), repository.required[0]
    revision = repository.revision
    url = hf_hub_url(
        repository.name, first, repo_type=repository.kind, revision=revision, endpoint=address
    )
    commit = get_hf_file_metadata(url, endpoint=address).commit_hash
    if commit is None or not is_commit(commit):
        raise ClassifierError("something else than the hub answers at its address")
    if is_commit(revision) and commit != revision:
        raise ClassifierError(f"the hub answers with another commit than {revision}")
    return commit


def _fetch(
    repository: Repository, revision: str, bar: type[tqdm] | None = None, *, cached: bool = False
) -> list[Path]:
    """All required files, and those of the optional ones that there are.

    The optional ones first: where a download broke off, the cache lacks a required one.
    """
    files = []
    for name in [*repository.optional, *repository.required]:
        try:
            file = _file(repository, name, revision, bar, cached=cached)
            if not _is_whole(file):
                if cached:
                    raise ClassifierError(f"{name} in the local cache is damaged")
                _remove(file)  # the library would take it for the file of the hub
                file = _file(repository, name, revision, bar)
            if not _is_whole(file):
                _remove(file)
                raise ClassifierError(f"{name} from the hub is damaged: its hash differs")
            files.append(file)
        except (RemoteEntryNotFoundError, LocalEntryNotFoundError) as error:
            # The library raises the second one too where the hub fails and the cache has no file.
            absent = cached or isinstance(error, RemoteEntryNotFoundError)
            if name in repository.optional and absent:
                continue
            if isinstance(error, RemoteEntryNotFoundError):
                raise ClassifierError(f"{repository.name} has no {name} on the hub") from error
            raise
    return files


def _file(
    repository: Repository,
    name: str,
    revision: str,
    bar: type[tqdm] | None = None,
    *,
    cached: bool = False,
) -> Path:
    constants.DOWNLOAD_CHUNK_SIZE = _CHUNK
    constants.HF_HUB_DISABLE_XET = True  # the hub's other protocol, whose pieces are large too
    path = hf_hub_download(
        repository.name,
        name,
        repo_type=repository.kind,
        revision=revision,
        cache_dir=constants.HF_HUB_CACHE,
        local_files_only=cached,
        endpoint=None if cached else hub_address(),
        tqdm_class=bar,
    )
    return Path(path)


def _is_whole(file: Path) -> bool:
    """Whether the content has the hash that the cache calls it by, where it is a known one.

    The hub's are git's for small files and SHA-256 for large ones; a mirror's may be plain SHA-1.
    """
    blob = file.resolve()
    if re.fullmatch("[0-9a-f]{64}", blob.name):
        return sha256(blob) == blob.name
    if re.fullmatch("[0-9a-f]{40}", blob.name):
        content = blob.read_bytes()
        of_git = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False)
        plain = hashlib.sha1(content, usedforsecurity=False)
        return blob.name in (of_git.hexdigest(), plain.hexdigest())
    return True


def _remove(file: Path) -> None:
    """From the cache: the content, and the link to it."""
    for path in (file.resolve(), file):
        try:
            path.unlink(missing_ok=True)
        except OSError as error:  # a cache on a read-only disk
            raise ClassifierError(f"{path} is damaged and can't be removed") from error
