"""Texts to token ids, once; cutting long texts; batches of like length."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from torch import Tensor

from classifier.errors import ClassifierError
from classifier.files import explain_full_disk, replacing

if TYPE_CHECKING:  # seconds to import, and a prediction does without it
    from transformers import PreTrainedTokenizerBase

_TOKENIZED_AT_ONCE = 1024
_BATCHES_SORTED_TOGETHER = 64

SLOT = 32
"""Texts are padded to a multiple of so many tokens.

For every new shape of a bfloat16 product oneDNN compiles a program, which takes 0.2 ms and half a
megabyte: with each length on its own, 200 reviews made a process grow by 580 MB (measured).
"""

_WIDE_SLOT = 128
"""For whole reviews in batches, whose products are larger: 190 MB of programs with `SLOT`."""


@dataclass(frozen=True)
class Tokens:
    """Ragged token ids of n texts, [CLS] and [SEP] included."""

    ids: NDArray[np.int32]  # all texts end to end
    starts: NDArray[np.int64]  # [n + 1]; text i is ids[starts[i] : starts[i + 1]]
    pad_id: int

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        return np.diff(self.starts)

    def head(self, rows: int) -> "Tokens":
        """The first `rows` texts."""
        starts = self.starts[: rows + 1]
        return Tokens(self.ids[: starts[-1]], starts, self.pad_id)

    def __add__(self, other: "Tokens") -> "Tokens":
        """These texts, then the other's, of the same tokenizer."""
        starts = np.concatenate([self.starts, other.starts[1:] + self.starts[-1]])
        return Tokens(np.concatenate([self.ids, other.ids]), starts, self.pad_id)

    def batch(self, rows: NDArray[np.int64], pad_to: int | None = None) -> tuple[Tensor, Tensor]:
        """`input_ids` and `attention_mask` of those rows, int64 `[rows, tokens]`.

        As many tokens as `pad_to`, else as the longest of them has, rounded up to full slots but
        to no more than the longest text of all, because the encoder may have no more positions.
        """
        lengths = self.lengths
        width = pad_to or int(min(slot(int(lengths[rows].max())), lengths.max()))
        input_ids = np.full((len(rows), width), self.pad_id, dtype=np.int64)
        attention_mask = np.zeros((len(rows), width), dtype=np.int64)
        for line, row in enumerate(rows):
            text = self.ids[self.starts[row] : self.starts[row + 1]]
            input_ids[line, : len(text)] = text
            attention_mask[line, : len(text)] = 1
        return torch.from_numpy(input_ids), torch.from_numpy(attention_mask)


def slot(length: int, step: int = SLOT) -> int:
    """The tokens that a text of `length` takes with its padding."""
    return -(-length // step) * step


def load_tokenizer(folder: Path) -> "PreTrainedTokenizerBase":
    """The tokenizer of the model in `folder`; ClassifierError where it can't be loaded."""
    from transformers import AutoTokenizer, PreTrainedTokenizerBase

    if not any((folder / name).exists() for name in ("tokenizer.json", "vocab.txt")):
        # AutoTokenizer would make one without words, to which every word is unknown.
        raise ClassifierError(f"{folder} has no tokenizer: no tokenizer.json, no vocab.txt.")
    try:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            folder, local_files_only=True
        )
    except Exception as error:  # in as many ways as there are tokenizer files
        raise ClassifierError(f"{folder} has no tokenizer that can be loaded: {error}") from error
    return tokenizer


def tokenize(
    texts: list[str], tokenizer: "PreTrainedTokenizerBase", max_tokens: int, head_share: float
) -> Tokens:
    """Token ids of `texts`, each at most `max_tokens` long with [CLS] and [SEP].

    A longer text keeps `head_share` of that from its beginning and the rest from its end,
    where reviewers put the verdict (Sun et al. 2019, https://arxiv.org/abs/1905.05583);
    `head_share=1` is plain truncation.
    """
    pad_id = tokenizer.pad_token_id
    assert isinstance(pad_id, int)
    ends = (tokenizer.cls_token_id, tokenizer.sep_token_id)
    pieces = (
        ids
        for at in range(0, len(texts), _TOKENIZED_AT_ONCE)
        for ids in tokenizer(
            texts[at : at + _TOKENIZED_AT_ONCE],
            add_special_tokens=False,
            return_attention_mask=False,
            return_token_type_ids=False,
            verbose=False,
        )["input_ids"]
    )
    return cut(pieces, ends, pad_id, max_tokens, head_share)


def cut(
    texts: Iterable[list[int]],
    ends: tuple[int, int],
    pad_id: int,
    max_tokens: int,
    head_share: float,
) -> Tokens:
    """Token ids of texts without [CLS] and [SEP], the `ends`: cut as `tokenize` says, with them."""
    room = max_tokens - 2
    head = round(room * head_share)
    pieces: list[NDArray[np.int32]] = []
    for ids in texts:
        if len(ids) > room:
            ids = ids[:head] + ids[len(ids) - (room - head) :]
        pieces.append(np.array([ends[0], *ids, ends[1]], dtype=np.int32))
    starts = np.cumsum([0, *(len(piece) for piece in pieces)], dtype=np.int64)
    flat = np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.int32)
    return Tokens(flat, starts, pad_id)


def tokenize_cached(
    texts: list[str],
    tokenizer: "PreTrainedTokenizerBase",
    max_tokens: int,
    head_share: float,
    cache: Path | None,
) -> Tokens:
    """`tokenize`, kept below `cache`, if any, for the next run on the same texts and tokenizer.

    Raises DiskFullError where they can't be kept.
    """
    if cache is None:
        return tokenize(texts, tokenizer, max_tokens, head_share)
    key = hashlib.sha256(f"{max_tokens} {head_share} {len(texts)}".encode())
    key.update(tokenizer.backend_tokenizer.to_str().encode())
    for text in texts:
        key.update(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())
    file = cache / "tokens" / f"{key.hexdigest()[:32]}.safetensors"
    pad_id = tokenizer.pad_token_id
    assert isinstance(pad_id, int)
    try:
        kept = load_file(file)
        return Tokens(kept["ids"], kept["starts"], pad_id)
    except (FileNotFoundError, SafetensorError, KeyError):  # absent, or cut short by a crash
        tokens = tokenize(texts, tokenizer, max_tokens, head_share)
    with explain_full_disk(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        with replacing(file) as temporary:
            save_file({"ids": tokens.ids, "starts": tokens.starts}, temporary)
    return tokens


def shuffled_batches(
    lengths: NDArray[np.int64], batch_size: int, rng: np.random.Generator, *, like_length: bool
) -> list[NDArray[np.int64]]:
    """Every row once, in random batches; `like_length` puts rows of similar length together.

    Rows are shuffled, sorted by length within runs of 64 batches, and the batches shuffled
    again, so that little padding is computed and each epoch still sees other batches.
    """
    order = rng.permutation(len(lengths))
    if like_length:
        run = batch_size * _BATCHES_SORTED_TOGETHER
        order = np.concatenate(
            [
                part[np.argsort(lengths[part], kind="stable")]
                for part in (order[at : at + run] for at in range(0, len(order), run))
            ]
        )
    batches = [order[at : at + batch_size] for at in range(0, len(order), batch_size)]
    if like_length:
        batches = [batches[index] for index in rng.permutation(len(batches))]
    return batches


def sorted_batches(
    lengths: NDArray[np.int64], most_tokens: int
) -> Iterator[tuple[NDArray[np.int64], int]]:
    """Every row once, longest first, and the tokens that its batch is to be padded to.

    For prediction, where the order does not matter. A batch takes at most `most_tokens` with its
    padding, or is a single text.
    """
    order = np.argsort(-lengths, kind="stable")
    at = 0
    while at < len(order):
        width = slot(int(lengths[order[at]]), _WIDE_SLOT)
        rows = max(1, most_tokens // width)
        yield order[at : at + rows], int(min(width, lengths.max()))
        at += rows
