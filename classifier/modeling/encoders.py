"""The encoder and its tokenizer: from a folder, the hub, the hub's cache, or the stand-in."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

from transformers import PreTrainedTokenizerBase

from classifier.data.hub import DEFAULT_ENCODER, ENCODER_REVISION, hub_unreachable
from classifier.data.hub_files import SILENCE_SECONDS, Repository, is_commit, repository_files
from classifier.data.tokenizer import load_tokenizer
from classifier.errors import ClassifierError, DiskFullError
from classifier.modeling.classifier import load_classifier
from classifier.modeling.stand_in import stand_in_folder

_REQUIRED = ("config.json", "model.safetensors")
_VOCABULARIES = ("tokenizer.json", "vocab.txt")
_OPTIONAL = (*_VOCABULARIES, "tokenizer_config.json", "special_tokens_map.json")


@dataclass(frozen=True)
class Encoder:
    """A BERT folder ready to load, and the sentence that says where it came from."""

    name: str  # what was asked for
    folder: Path
    origin: str  # one line for people, stored with every model trained from it
    stand_in: bool = False  # True where the figures are not those of `name`
    revision: str | None = None  # the hub's commit

    @property
    def positions(self) -> int:
        """How many tokens it can read at once."""
        return self._configured("max_position_embeddings", 512)

    def mask_id(self, tokenizer: PreTrainedTokenizerBase) -> int | None:
        """[MASK]'s id; None where it has no vector for it, even if the tokenizer has an id."""
        mask_id, words = tokenizer.mask_token_id, self._configured("vocab_size", 30522)
        return mask_id if isinstance(mask_id, int) and mask_id < words else None

    def _configured(self, name: str, otherwise: int) -> int:
        """A number from its configuration; `otherwise` is BertConfig's default."""
        config = json.loads((self.folder / "config.json").read_bytes())
        return int(config.get(name, otherwise))


def find_encoder(name: str, cache: Path, *, silence_seconds: float = SILENCE_SECONDS) -> Encoder:
    """The encoder called `name`: a folder, or a hub id, with @ and a commit after it or without.

    Without one it is the commit with which this version was made, for the default encoder, and the
    newest for another; a training keeps it, so that a retraining takes the same.

    Without the hub it comes from the hub's local cache; if it is not there as a whole, and for the
    default encoder alone, it is the stand-in from the PyPI package `silero-stress`, unpacked below
    `cache`.

    Raises ClassifierError for a folder that is no encoder, and where there is none at all.
    """
    if Path(name).is_dir():
        _check_files(Path(name))
        return Encoder(name, Path(name), f"the folder {Path(name).resolve().name}")
    name, at, revision = name.partition("@")
    if name.count("/") != 1 or name.startswith((".", "/", "~")):
        raise ClassifierError(f"--encoder {name}: no such folder, and not a hub id (owner/name).")
    if at and not is_commit(revision):
        raise ClassifierError(f"--encoder {name}@{revision}: no commit, which has 40 hex digits.")
    repository = Repository(name, "model", _REQUIRED, _OPTIONAL)
    if revision or name == DEFAULT_ENCODER:
        repository = replace(repository, revision=revision or ENCODER_REVISION)

    def found(origin: str, *, from_cache: bool) -> Encoder:
        folder = repository_files(
            repository, _check, from_cache=from_cache, silence_seconds=silence_seconds
        )
        return Encoder(name, folder, f"{name} from {origin}", revision=folder.name)

    why_not = hub_unreachable()
    if why_not is None:
        try:
            return found("the hub", from_cache=False)
        except DiskFullError:
            raise
        except ClassifierError as error:
            why_not = str(error).rstrip(".")
    try:
        return found(f"the local cache: {why_not}", from_cache=True)
    except ClassifierError:
        if name != DEFAULT_ENCODER:
            raise ClassifierError(
                f"--encoder {name}: {why_not}, and it is not in the local cache."
            ) from None
    folder = stand_in_folder(cache, why_not)
    return Encoder(
        name,
        folder,
        f"silero-stress from PyPI, a stand-in of the same shape for {name}: {why_not}",
        stand_in=True,
    )


def _check(folder: Path) -> None:
    """Raise ClassifierError for what a hub has sent, or a cache kept, that is no encoder."""
    _check_files(folder)
    load_classifier(folder, with_heads=False)
    load_tokenizer(folder)


def _check_files(folder: Path) -> None:
    missing = [name for name in _REQUIRED if not (folder / name).exists()]
    if not any((folder / name).exists() for name in _VOCABULARIES):
        missing.append("tokenizer.json")
    if missing:
        raise ClassifierError(
            f"{folder} is no encoder: {', '.join(missing)} missing (safetensors only, no pickle)."
        )
