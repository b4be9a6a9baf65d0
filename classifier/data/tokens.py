"""Token ids of many texts, and batches of texts of like length."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

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
    """Ragged token ids of n texts, with the special tokens around each: [CLS] and [SEP] mostly."""

    ids: NDArray[np.int32]  # all texts end to end
    starts: NDArray[np.int64]  # [n + 1]; text i is ids[starts[i] : starts[i + 1]]
    pad_id: int
    before: int = 1  # how many special tokens stand before the words of each text, and after them
    after: int = 1

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        return np.diff(self.starts)

    def head(self, rows: int) -> "Tokens":
        """The first `rows` texts."""
        starts = self.starts[: rows + 1]
        return replace(self, ids=self.ids[: starts[-1]], starts=starts)

    def shortened(self, max_tokens: int, head_share: float) -> "Tokens":
        """Each text with at most `max_tokens`, as if it had been tokenized so.

        They are cut already, to more tokens, by the same `head_share`.
        """
        head, tail = kept(max_tokens - self.before - self.after, head_share)
        head, tail = self.before + head, tail + self.after
        pieces = [
            np.concatenate([text[:head], text[len(text) - tail :]])
            if len(text) > max_tokens
            else text
            for text in np.split(self.ids, self.starts[1:-1])
        ]
        starts = np.cumsum([0, *map(len, pieces)], dtype=np.int64)
        return replace(self, ids=np.concatenate(pieces), starts=starts)

    def __add__(self, other: "Tokens") -> "Tokens":
        """These texts, then the other's, of the same tokenizer."""
        starts = np.concatenate([self.starts, other.starts[1:] + self.starts[-1]])
        return replace(self, ids=np.concatenate([self.ids, other.ids]), starts=starts)

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


def kept(room: int, head_share: float) -> tuple[int, int]:
    """How many of a text's first and of its last tokens are kept where there is room for so many.

    With less room fewer of the same ones are kept.
    """
    head = round(room * head_share)
    return head, room - head


def slot(length: int, step: int = SLOT) -> int:
    """The tokens that a text of `length` takes with its padding."""
    return -(-length // step) * step


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
