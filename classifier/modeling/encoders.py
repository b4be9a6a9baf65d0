"""The encoder and its tokenizer: from a folder, the hub, the hub's cache, or the stand-in."""

import json
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import snapshot_download
from huggingface_hub.constants import HF_HUB_CACHE
from huggingface_hub.errors import LocalEntryNotFoundError
from transformers import PreTrainedTokenizerBase

from classifier.data.hub import DEFAULT_ENCODER, hub_unreachable, why_failed
from classifier.errors import ClassifierError
from classifier.files import explain_full_disk
from classifier.modeling.stand_in import stand_in_folder

_FILES = ["config.json", "model.safetensors", "tokenizer*", "vocab.txt", "special_tokens_map.json"]
_METADATA_SECONDS = 5.0  # the hub's first answer; downloads may take as long as they need


@dataclass(frozen=True)
class Encoder:
    """A BERT folder ready to load, and the sentence that says where it came from."""

    name: str  # what was asked for
    folder: Path
    origin: str  # one line for people, stored with every model trained from it
    stand_in: bool = False  # True where the figures are not those of `name`

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


def find_encoder(name: str, cache: Path) -> Encoder:
    """The encoder called `name`: a folder, or a hub id.

    Without the hub it comes from the hub's local cache; if it is not there, and for the default
    encoder alone, it is the stand-in from the PyPI package `silero-stress`, unpacked below `cache`.

    Raises ClassifierError for a folder that is no encoder, and where there is none at all.
    """
    if Path(name).is_dir():
        return Encoder(name, _checked(Path(name)), f"the folder {Path(name).resolve().name}")
    if name.count("/") != 1 or name.startswith((".", "/", "~")):
        raise ClassifierError(f"--encoder {name}: no such folder, and not a hub id (owner/name).")
    why_not = hub_unreachable()
    if why_not is None:
        try:
            return Encoder(name, _download(name, local_only=False), f"{name} from the hub")
        except ClassifierError:
            raise
        except Exception as error:  # httpx2's, which are no OSError, among them
            why_not = why_failed(error, name)
    try:
        return Encoder(
            name, _download(name, local_only=True), f"{name} from the local cache: {why_not}"
        )
    except LocalEntryNotFoundError:
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


def _download(name: str, *, local_only: bool) -> Path:
    with explain_full_disk(Path(HF_HUB_CACHE)):
        folder = snapshot_download(
            name,
            allow_patterns=_FILES,
            local_files_only=local_only,
            etag_timeout=_METADATA_SECONDS,
        )
    return _checked(Path(folder))


def _checked(folder: Path) -> Path:
    missing = [
        name for name in ("config.json", "model.safetensors") if not (folder / name).exists()
    ]
    if not any((folder / name).exists() for name in ("tokenizer.json", "vocab.txt")):
        missing.append("tokenizer.json")
    if missing:
        raise ClassifierError(
            f"{folder} is no encoder: {', '.join(missing)} missing (safetensors only, no pickle)."
        )
    return folder
