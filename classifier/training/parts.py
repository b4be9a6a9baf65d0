"""The parts of a split as a model takes them: token ids, labels, and how much each row counts."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from datasets import Dataset
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerBase

from classifier.data.tokenizer import tokenize_cached
from classifier.data.tokens import Tokens
from classifier.modeling.outputs import Labels, labels_of
from classifier.training.loss import Targets
from classifier.training.recipe import Recipe


@dataclass(frozen=True)
class Part:
    """Tokenized reviews with their labels, and how much each counts in training."""

    tokens: Tokens
    labels: Labels
    weights: NDArray[np.float32] | None = None  # [n]; None: all alike

    @classmethod
    def of_rows(
        cls,
        rows: Dataset,
        tokenizer: PreTrainedTokenizerBase,
        recipe: Recipe,
        cache: Path | None,
        *,
        to_train: bool = False,
    ) -> "Part":
        """The texts of `rows`, as `Reviews.rows` has them; nothing is kept without a cache.

        Cut to what a model reads at prediction, or to train to `Recipe.trained_tokens`.
        """
        most = recipe.trained_tokens if to_train else recipe.max_tokens
        tokens = tokenize_cached(list(rows["text"]), tokenizer, most, recipe.head_share, cache)
        weights = np.asarray(rows["weight"], dtype=np.float32)
        return cls(tokens, labels_of(rows), None if (weights == 1).all() else weights)

    def head(self, rows: int) -> "Part":
        """The first `rows` of them."""
        labels = Labels(self.labels.sentiment[:rows], self.labels.rating[:rows])
        weights = None if self.weights is None else self.weights[:rows]
        return Part(self.tokens.head(rows), labels, weights)

    def __add__(self, other: "Part") -> "Part":
        """These reviews, then the other's."""
        labels = Labels(
            np.concatenate([self.labels.sentiment, other.labels.sentiment]),
            np.concatenate([self.labels.rating, other.labels.rating]),
        )
        weights = None
        if self.weights is not None or other.weights is not None:
            weights = np.concatenate(
                [
                    np.ones(len(part.tokens), np.float32) if part.weights is None else part.weights
                    for part in (self, other)
                ]
            )
        return Part(self.tokens + other.tokens, labels, weights)

    def targets(self, rows: NDArray[np.int64], device: torch.device) -> Targets:
        """The labels of those rows, on `device`."""
        weights = None if self.weights is None else torch.from_numpy(self.weights[rows]).to(device)
        return Targets(
            torch.from_numpy(self.labels.sentiment[rows]).to(device),
            torch.from_numpy(self.labels.rating[rows]).to(device),
            weights,
        )


@dataclass(frozen=True)
class TokenizedParts:
    """All parts of an experiment's reviews."""

    training: Part
    validation: Part
    holdout: Part
    as_written: Tokens  # the holdout with the written ratings left in
