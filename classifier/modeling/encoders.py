"""The encoder and its tokenizer: from a folder, the hub, the hub's cache, or the stand-in."""

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from transformers import PreTrainedConfig

from classifier.data.hub import DEFAULT_ENCODER, ENCODER_REVISION, hub_unreachable
from classifier.data.hub_files import SILENCE_SECONDS, Repository, is_commit, repository_files
from classifier.data.tokenizer import VOCABULARIES, load_tokenizer
from classifier.errors import ClassifierError, DiskFullError
from classifier.modeling.families import UnsuitableError, check_pools, positions, read_config
from classifier.modeling.loading import load_encoder
from classifier.modeling.stand_in import stand_in_folder

_REQUIRED = ("config.json", "model.safetensors")
_OPTIONAL = (*VOCABULARIES, "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")


@dataclass(frozen=True)
class Encoder:
    """A folder ready to load, and the sentence that says where it came from."""

    name: str  # what was asked for
    folder: Path
    origin: str  # one line for people, stored with every model trained from it
    stand_in: bool = False  # True where the figures are not those of `name`
    revision: str | None = None  # the hub's commit

    @property
    def identity(self) -> tuple[str | None, bool]:
        """With the name, what tells it from others that the name has stood for."""
        return self.revision, self.stand_in

    @cached_property
    def config(self) -> PreTrainedConfig:
        """Its configuration; UnsuitableError for a family that can't be pooled."""
        return read_config(self.folder)

    @cached_property
    def positions(self) -> int | None:
        """How many tokens it can read at once; None where nothing limits them.

        Raises UnsuitableError where it gives no vector of a whole text.
        """
        if self.config.model_type == "bert" and not self.config.is_decoder:
            return int(self.config.max_position_embeddings)
        encoder = load_encoder(self.folder, self.config)
        check_pools(encoder, self.folder)
        return positions(encoder)

    @property
    def size(self) -> int:
        """Its layers times their width."""
        return int(getattr(self.config, "num_hidden_layers", 1) * self.config.hidden_size)

    def ways(self) -> str:
        """One line about how it is trained and served."""
        kind = self.config.model_type
        if kind == "bert" and self.config.hidden_act == "gelu":
            return "It is a BERT: trained and served in the fast ways made for one."
        return (
            f"It is no BERT ({kind}): trained and served by transformers' own code, without packed "
            "batches, the [CLS] shortcut and our attention, which is slower."
        )


def find_encoder(name: str, cache: Path, *, silence_seconds: float = SILENCE_SECONDS) -> Encoder:
    """The encoder called `name`: a folder, or a hub id, with @ and a commit after it or without.

    Without one it is the commit with which this version was made, for the default encoder, and the
    newest for another; a training keeps it, so that a retraining takes the same.

    Without the hub it comes from the hub's local cache; if it is not there as a whole, and for the
    default encoder alone, it is the stand-in from the PyPI package `silero-stress`, unpacked below
    `cache`.

    Raises ClassifierError for a folder that is no encoder, and where there is none at all; and
    UnsuitableError for one that can't be pooled.
    """
    encoder = _found(name, cache, silence_seconds)
    try:
        _ = encoder.positions
    except UnsuitableError as error:  # the hub's folder is called by a commit
        raise UnsuitableError(str(error).replace(str(encoder.folder), encoder.name)) from error
    return encoder


def _found(name: str, cache: Path, silence_seconds: float) -> Encoder:
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
        check = _check_default if name == DEFAULT_ENCODER else _check
        folder = repository_files(
            repository, check, from_cache=from_cache, silence_seconds=silence_seconds
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
    with suppress(UnsuitableError):  # its files are what they should be
        _check_default(folder)


def _check_default(folder: Path) -> None:
    """As `_check`, of the default encoder: unsuitable it can be through damage alone."""
    _check_files(folder)
    load_encoder(folder)
    load_tokenizer(folder)


def _check_files(folder: Path) -> None:
    missing = [name for name in _REQUIRED if not (folder / name).exists()]
    if not any((folder / name).exists() for name in VOCABULARIES):
        missing.append("tokenizer.json")
    if missing:
        raise ClassifierError(
            f"{folder} is no encoder: {', '.join(missing)} missing (safetensors only, no pickle)."
        )
