"""A version to the hub: the large files first, and all that anybody can see in one commit.

Whatever happens on the way, the repository's head holds the version of before or the new one. What
was uploaded stays with the hub, which is asked before each file: the same push goes on from there.
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from huggingface_hub import (
    CommitOperationAdd,
    CommitOperationDelete,
    HfApi,
    ModelInfo,
    constants,
    get_token,
)

from classifier.data.hub import hub_address, hub_unreachable
from classifier.data.hub_watch import Signs, watched
from classifier.errors import ClassifierError
from classifier.registry.version import MANIFEST
from classifier.sharing.layout import is_ours, repository_files
from classifier.sharing.public_copy import PublicCopy
from classifier.sharing.refusals import explain_refusals

SILENCE_SECONDS = 60.0  # a hub that has got a large file takes its time to store it
_MADE_BY_THE_HUB = {".gitattributes", "README.md", "LICENSE"}  # what a new repository may have


@dataclass(frozen=True)
class Pushed:
    commit: str
    is_new: bool  # otherwise all of it was there already
    private: bool


def push(
    copy: PublicCopy,
    name: str,
    say: Callable[[str], None],
    *,
    private: bool,
) -> Pushed:
    """Commit the copy to the repository `name`, owner/name, which is made if there is none.

    `private` refuses one that everybody can read. Large files go by Git LFS and not by Xet: its
    uploads can be watched, and mirrors speak it too; the hub takes both in any repository
    (https://huggingface.co/docs/hub/xet/legacy-git-lfs).

    Raises ClassifierError; the repository is then as it was before.
    """
    token = get_token()
    if not token:
        raise ClassifierError(
            "There is no token for the hub: set HF_TOKEN to one that may write, from "
            f"{hub_address()}/settings/tokens, or run `hf auth login`."
        )
    if why_not := hub_unreachable():
        raise ClassifierError(f"{name} was not changed: {why_not}.")
    constants.HF_HUB_DISABLE_XET = True
    api = HfApi(endpoint=hub_address(), token=token)

    def work(signs: Signs) -> Pushed:
        _check_identity(api)
        signs.alive()
        repository = _repository(api, name, private)
        signs.alive()
        return _commit(api, copy, name, repository, signs, say)

    with explain_refusals(name), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the library, about the card's metadata
        return watched(work, SILENCE_SECONDS)


def _check_identity(api: HfApi) -> None:
    who = api.whoami()
    if not isinstance(who.get("name"), str):
        raise TypeError
    access = (who.get("auth") or {}).get("accessToken") or {}
    if access.get("role") == "read":
        raise ClassifierError(f"the token of {who['name']} may only read")


def _repository(api: HfApi, name: str, private: bool) -> ModelInfo:
    """The repository, made if there is none; ClassifierError where it must not be written to."""
    api.create_repo(name, private=private or None, exist_ok=True)
    info = api.model_info(name)
    if private and not info.private:
        raise ClassifierError(
            f"it exists, and everybody can read it: make it private in its settings at "
            f"{hub_address()}/{name}/settings, or take another name"
        )
    if ".gitignore" in _files(info):
        raise ClassifierError("it has a .gitignore, which could leave files out: delete that first")
    there = _files(info) - _MADE_BY_THE_HUB
    if there and not {MANIFEST, "cls/config.json", "mean/config.json"} <= there:
        raise ClassifierError(
            f"it holds something else than a version, {min(there)} for one: take another name"
        )
    return info


def _files(info: ModelInfo) -> set[str]:
    return {file.rfilename for file in info.siblings or []}


def _commit(
    api: HfApi,
    copy: PublicCopy,
    name: str,
    before: ModelInfo,
    signs: Signs,
    say: Callable[[str], None],
) -> Pushed:
    files = repository_files(copy.names, copy.root)
    additions = [_Upload(path, copy.folder / source, signs) for path, source in files.items()]
    # Those at the root are the same content: the hub has it by then. One call a file, which this
    # thread uploads: more in a call take threads of a pool, for which an interrupted process waits.
    for one in additions:
        signs.alive()
        if "/" in one.path_in_repo:
            api.preupload_lfs_files(name, [one], free_memory=False)
    say("  The models are uploaded; now the rest, and the commit.")
    stale = sorted(path for path in _files(before) - set(files) if is_ours(path))
    commit = api.create_commit(
        name,
        [*additions, *(CommitOperationDelete(path) for path in stale)],
        commit_message=f"Version {copy.version}",
        parent_commit=before.sha,  # so that of two pushes at once one is refused
    )
    return Pushed(commit.oid, commit.oid != before.sha, bool(before.private))


class _Upload(CommitOperationAdd):
    """A file to be added, each read of which is a sign of life."""

    def __init__(self, path_in_repo: str, file: Path, signs: Signs) -> None:
        super().__init__(path_in_repo, file)
        self._signs = signs

    @contextmanager
    def as_file(self, with_tqdm: bool = False) -> Iterator[BinaryIO]:
        with super().as_file(with_tqdm) as file:
            read = file.read

            def watched_read(size: int | None = -1) -> bytes:
                self._signs.alive()
                return read(size)  # type: ignore[arg-type]

            file.read = watched_read  # type: ignore[method-assign]
            yield file
