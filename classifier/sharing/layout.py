"""A version's repository on the hub: which files it has, and which pooling is at its root.

    cls/ mean/ metrics.json …  the version, as it is below models/
    README.md                  the card of both models
    manifest.json              the size and SHA-256 of all of these
    config.json …              the better pooling's files once more, which the hub stores once

So `pipeline(model="owner/name")` has a model at the root, where it looks for one, and the version
is one commit: with a repository for each pooling, a push or a pull could mix two versions.
"""

from pathlib import PurePosixPath
from typing import Any

from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils._validators import validate_repo_id

from classifier.data.tokenizer import VOCABULARIES
from classifier.errors import ClassifierError
from classifier.evaluation.figures import POOLING_NAMES
from classifier.modeling.saving import MODELING_FILE
from classifier.registry.version import MANIFEST

_DOCUMENTS = {
    *("README.md", "metrics.json", "history.json", "split.json", "training.json"),
    "reference.json",
}
_OF_A_MODEL = {
    *("README.md", "config.json", "model.safetensors", "tokenizer_config.json"),
    *("special_tokens_map.json", "added_tokens.json"),
    *VOCABULARIES,
}


def may_leave(path: str) -> bool:
    """Whether a file of a version may be pushed, and may be in one that is pulled."""
    folder, _, name = path.rpartition("/")
    if not folder:
        return name in _DOCUMENTS
    return folder in POOLING_NAMES and _is_of_a_model(name)


def is_ours(path: str) -> bool:
    """Whether a file of a repository is one that a push writes there."""
    return may_leave(path) or path == MANIFEST or ("/" not in path and _is_of_a_model(path))


def _is_of_a_model(name: str) -> bool:
    return name in _OF_A_MODEL or name == MODELING_FILE


def repository_files(names: list[str], root: str) -> dict[str, str]:
    """Path in the repository → path in the version's folder; `root` is the pooling at its root."""
    files = {name: name for name in names}
    again = (PurePosixPath(name) for name in names if name.startswith(f"{root}/"))
    return files | {path.name: str(path) for path in again if path.name != "README.md"}


def root_pooling(metrics: dict[str, Any]) -> str:
    """The pooling with the better main figure, macro F1, on the version's holdout."""
    return max(POOLING_NAMES, key=lambda pooling: metrics[pooling].get("macro_f1") or 0.0)


def check_name(name: str) -> str:
    """The repository's name; ClassifierError unless it is an OWNER/NAME that the hub can have."""
    try:
        validate_repo_id(name)
    except HFValidationError as error:
        why = str(error).rstrip(".")
    else:
        if name.count("/") == 1:
            return name
        why = "the owner is missing"
    raise ClassifierError(f"{name!r} is no OWNER/NAME of the hub: {why}.")
