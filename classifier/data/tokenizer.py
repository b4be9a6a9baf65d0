"""From texts to token ids: read by the `tokenizers` library alone to predict, cached to train.

Importing transformers takes a second or two, so that it is imported only by `load_tokenizer`,
which reads any tokenizer that it knows. A published version has the one file that is needed here.
"""

import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer

from classifier.data.tokens import Tokens, kept
from classifier.errors import ClassifierError
from classifier.files import explain_full_disk, replacing

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

VOCABULARIES = (
    *("tokenizer.json", "vocab.txt", "vocab.json", "merges.txt"),
    *("sentencepiece.bpe.model", "spiece.model", "spm.model"),
)
"""The files of which a tokenizer has one or two."""

_TEXTS_AT_ONCE = 1024
_RULE = "special tokens are text"  # in the cache's key: change it when other ids come of a text


class FastTokenizer:
    """Turns texts into the same tokens as the tokenizer with which the model was trained."""

    def __init__(self, folder: Path) -> None:
        """Raises ClassifierError where there is no tokenizer.json that can be read."""
        file = folder / "tokenizer.json"
        if not file.exists():
            raise ClassifierError(f"{folder} has no tokenizer: no tokenizer.json.")
        try:
            self._tokenizer = Tokenizer.from_file(str(file))
            unknown = getattr(self._tokenizer.model, "unk_token", None) or "<unk>"
            self.unknown_id = self._tokenizer.token_to_id(unknown)
            config = json.loads((folder / "config.json").read_text("utf-8"))
            self._pad_id = int(config.get("encoder", config).get("pad_token_id") or 0)
            self.tokens([""], 2, 1.0)
        except Exception as error:  # tokenizers raises Exception itself
            raise ClassifierError(
                f"{folder} has no tokenizer that can be loaded: {error}"
            ) from error

    def tokens(self, texts: list[str], max_tokens: int, head_share: float) -> Tokens:
        """As `tokenize`."""
        return _tokens(texts, self._tokenizer, self._pad_id, max_tokens, head_share)

    def rule(self, max_tokens: int, head_share: float) -> dict[str, int | list[int]]:
        """How `tokens` makes ids of a text, in numbers: for programs without this package.

        The text's own ids but for `left_out`; of more than `head` + `tail` the first and the last
        so many; between `before` and `after`. `pad` stands where a batch has shorter texts.
        """
        before, after, head, tail = _kept(self._tokenizer, max_tokens, head_share)
        return {
            "before": before,
            "after": after,
            "head": head,
            "tail": tail,
            "left_out": sorted(_special_ids(self._tokenizer)),
            "pad": self._pad_id,
        }


def load_tokenizer(folder: Path) -> "PreTrainedTokenizerBase":
    """The tokenizer of the model in `folder`; ClassifierError where it can't be loaded."""
    from transformers import AutoTokenizer, PreTrainedTokenizerBase

    if not any((folder / name).exists() for name in VOCABULARIES):
        # AutoTokenizer would make one without words, to which every word is unknown.
        raise ClassifierError(f"{folder} has no tokenizer: no tokenizer.json, no vocab.txt.")
    try:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False, split_special_tokens=True
        )
    except Exception as error:  # in as many ways as there are tokenizer files
        why = " ".join(str(error).split())
        raise ClassifierError(
            f"{folder} has no tokenizer that can be loaded: {why:.300}"
        ) from error
    if not isinstance(getattr(tokenizer, "backend_tokenizer", None), Tokenizer):
        raise ClassifierError(
            f"{folder} has a slow tokenizer alone ({type(tokenizer).__name__}): one that the "
            "library tokenizers can run is needed, a tokenizer.json."
        )
    return tokenizer


def tokenize(
    texts: list[str], tokenizer: "PreTrainedTokenizerBase", max_tokens: int, head_share: float
) -> Tokens:
    """Token ids of `texts`, each at most `max_tokens` long with its special tokens.

    A longer text keeps `head_share` of that from its beginning and the rest from its end,
    where reviewers put the verdict (Sun et al. 2019, https://arxiv.org/abs/1905.05583);
    `head_share=1` is plain truncation.
    """
    backend = tokenizer.backend_tokenizer
    return _tokens(texts, backend, _pad_id(tokenizer), max_tokens, head_share)


def _pad_id(tokenizer: "PreTrainedTokenizerBase") -> int:
    """Any will do for one without: padding is masked."""
    pad_id = tokenizer.pad_token_id
    return pad_id if isinstance(pad_id, int) else 0


def special_tokens(tokenizer: Tokenizer) -> tuple[list[int], list[int]]:
    """The ids that the tokenizer puts before and after each text: mostly of [CLS] and of [SEP]."""
    for letter in "иa":
        one = tokenizer.encode(letter)
        words = [at for at, special in enumerate(one.special_tokens_mask) if not special]
        if words:
            return one.ids[: words[0]], one.ids[words[-1] + 1 :]
    raise ClassifierError("The encoder's tokenizer knows no letter: its words are missing.")


def stands_for_cls(tokenizer: "PreTrainedTokenizerBase") -> str | None:
    """The token that stands first in every text; None where that is a text's own first word."""
    before, _ = special_tokens(tokenizer.backend_tokenizer)
    return str(tokenizer.convert_ids_to_tokens(before[0])) if before else None


def _tokens(
    texts: list[str], tokenizer: Tokenizer, pad_id: int, max_tokens: int, head_share: float
) -> Tokens:
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tokenizer.encode_special_tokens = True  # «[SEP]» typed in a review is five characters of text
    special = _special_ids(tokenizer)
    before, after, head, tail = _kept(tokenizer, max_tokens, head_share)
    pieces: list[NDArray[np.int32]] = []
    for at in range(0, len(texts), _TEXTS_AT_ONCE):
        some = texts[at : at + _TEXTS_AT_ONCE]
        for encoded in tokenizer.encode_batch_fast(some, add_special_tokens=False):
            ids = encoded.ids
            if not special.isdisjoint(ids):
                ids = [token for token in ids if token not in special]
            if len(ids) > head + tail:
                ids = ids[:head] + ids[len(ids) - tail :]
            # A text of nothing is padding, where there are no special tokens.
            text = [*before, *ids, *after] or [pad_id]
            pieces.append(np.array(text, dtype=np.int32))
    starts = np.cumsum([0, *(len(piece) for piece in pieces)], dtype=np.int64)
    flat = np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.int32)
    return Tokens(flat, starts, pad_id, len(before), len(after))


def _kept(
    tokenizer: Tokenizer, max_tokens: int, head_share: float
) -> tuple[list[int], list[int], int, int]:
    """The ids before and after each text, and how many of its first and of its last are kept."""
    before, after = special_tokens(tokenizer)
    return before, after, *kept(max_tokens - len(before) - len(after), head_share)


def _special_ids(tokenizer: Tokenizer) -> set[int]:
    """The ids that no text may have: the special tokens' but for the unknown word's.

    A tokenizer that does not split at punctuation finds them among its words all the same.
    """
    unknown = getattr(tokenizer.model, "unk_token", None)
    added = tokenizer.get_added_tokens_decoder()
    return {
        number
        for number, token in added.items()
        if token.special and token.content not in (unknown, "[UNK]", "<unk>")
    }


def tokenize_cached(
    texts: list[str],
    tokenizer: "PreTrainedTokenizerBase",
    max_tokens: int,
    head_share: float,
    cache: Path | None,
) -> Tokens:
    """`tokenize`, kept below `cache`, if any, for the next run on the same texts and tokenizer.

    They are not kept on a read-only disk. Raises DiskFullError on a full one.
    """
    if cache is None:
        return tokenize(texts, tokenizer, max_tokens, head_share)
    key = hashlib.sha256(f"{_RULE} {max_tokens} {head_share} {len(texts)}".encode())
    key.update(tokenizer.backend_tokenizer.to_str().encode())
    for text in texts:
        key.update(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())
    file = cache / "tokens" / f"{key.hexdigest()[:32]}.safetensors"
    try:
        kept = load_file(file)
        before, after = special_tokens(tokenizer.backend_tokenizer)
        counts = len(before), len(after)
        return Tokens(kept["ids"], kept["starts"], _pad_id(tokenizer), *counts)
    except (OSError, SafetensorError, KeyError):  # absent, or cut short by a crash
        tokens = tokenize(texts, tokenizer, max_tokens, head_share)
    with suppress(OSError, SafetensorError), explain_full_disk(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        with replacing(file) as temporary:
            save_file({"ids": tokens.ids, "starts": tokens.starts}, temporary)
    return tokens
