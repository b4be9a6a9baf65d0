"""From rows of a Dataset to what training and evaluation take: token ids and label arrays."""

from pathlib import Path

import numpy as np
from datasets import Dataset
from transformers import PreTrainedTokenizerBase

from classifier.data.tokenizer import tokenize_cached
from classifier.modeling.outputs import labels_of
from classifier.training.loop import Part
from classifier.training.recipe import Recipe


def labelled_part(
    rows: Dataset,
    texts: list[str],
    tokenizer: PreTrainedTokenizerBase,
    recipe: Recipe,
    cache: Path | None,
    *,
    to_train: bool = False,
) -> Part:
    """`rows`, of which the models are to see `texts`; no trace of them stays without a cache.

    They are cut to what a model reads at prediction, or for training to `Recipe.trained_tokens`.
    """
    most = recipe.trained_tokens if to_train else recipe.max_tokens
    tokens = tokenize_cached(list(texts), tokenizer, most, recipe.head_share, cache)
    weights = np.asarray(rows["weight"], dtype=np.float32)
    return Part(tokens, labels_of(rows), None if (weights == 1).all() else weights)
