"""The settings of a training: our recipe, and the reference notebook's."""

import math
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

import torch

from classifier.modeling.device import compute_dtype
from classifier.modeling.pooling import POOLINGS

_WHOLE = 2**31 - 1  # tokens


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the outcome of a training except the data, encoder and seed."""

    name: str = "default"
    epochs: int = 3
    least_steps: int = 650  # fewer reviews than these steps need are mixed into more, see mixing.py
    batch_size: int = 16
    learning_rate: float = 4e-4
    rate_for: int = 936  # the layers times the width of the encoder that it is for; 0: any
    warmup_share: float = 0.1  # of all steps; then linear decay to zero
    weight_decay: float = 0.01
    word_rate: float = 5.0  # times the learning rate for the word embeddings
    max_tokens: int = 1024
    window: int = 256  # of those, how many in a row a training step reads, see augmentation.py
    head_share: float = 0.5  # of the tokens kept of a long review; 1.0 keeps only its beginning
    rating_head: bool = True
    class_power: float = 0.5  # of the sentiments' weights, see loss.py; 0: all reviews count alike
    number_format: Literal["fastest", "float32"] = "fastest"  # of the matrix products
    padding: Literal["batch", "full"] = "batch"  # to the longest of a batch, or to max_tokens
    batch_order: Literal["like_length", "random"] = "like_length"  # like_length: hardly any padding
    dropout: Literal["fast", "bert"] = "fast"  # bert: in the attention too, drawn by torch
    optimizer: Literal["fast", "plain"] = "fast"  # see optimization.py; plain: AdamW as it comes
    schedule: Literal["linear", "constant"] = "linear"  # of the learning rate
    averaging: bool = False  # of the weights along the last half epoch, see optimization.py

    def mixed_for(self, rows: int) -> int:
        """How many mixed reviews make `least_steps` steps possible with so many training rows."""
        return max(0, math.ceil(self.least_steps * self.batch_size / self.epochs) - rows)

    def for_mixed(self) -> "Recipe":
        """The recipe for few reviews and others mixed from them: all share the same words."""
        return replace(self, word_rate=1.0, class_power=0.0, averaging=True)

    def for_encoder(self, positions: int | None, size: int = 0) -> "Recipe":
        """The recipe for an encoder that reads `positions` tokens at once.

        `size`: its layers times their width. The larger, the lower the learning rate: 4e-4 for
        rubert-tiny2's 3 layers of 312 become 4e-5 for BERT-base's 12 of 768, which is among what
        BERT's authors fine-tuned with (Devlin et al. 2019). Only the first of them was measured.
        """
        fitting = replace(self, max_tokens=min(self.max_tokens, positions or self.max_tokens))
        if 0 < self.rate_for < size:
            share = self.rate_for / size
            fitting = replace(fitting, learning_rate=self.learning_rate * share, rate_for=0)
        return fitting

    def changed(self, **values: Any) -> "Recipe":
        """The recipe with other values for the fields that are not None.

        One that reads whole reviews in training goes on to do so with another `max_tokens`.
        """
        given = {name: value for name, value in values.items() if value is not None}
        if "learning_rate" in given:
            given["rate_for"] = 0
        if self.window == self.max_tokens and "max_tokens" in given:
            given["window"] = given["max_tokens"]
        return replace(self, **given)

    @property
    def all_epochs(self) -> int:
        """Passes over the training texts for one seed."""
        return self.epochs * len(POOLINGS)

    @property
    def trained_tokens(self) -> int:
        """Where texts to train on are cut: not at all, if windows are drawn from them anyway."""
        return _WHOLE if self.window < self.max_tokens else self.max_tokens

    def dtype(self, device: torch.device) -> torch.dtype:
        """The number format of the matrix products."""
        return torch.float32 if self.number_format == "float32" else compute_dtype(device)


# Most words come up in a handful of reviews only, and their embeddings would hardly move in 3
# epochs: they take five times the rate. See docs/experiments.md.
DEFAULT = Recipe()

# AdamW at 2e-5, cross-entropy on the sentiment alone, 3 epochs, batches of 16 in random
# order, every review padded to 512 tokens: slow, and kept to reproduce the notebook's table.
NOTEBOOK = Recipe(
    name="notebook",
    least_steps=0,
    learning_rate=2e-5,
    rate_for=0,
    warmup_share=0.0,
    word_rate=1.0,
    max_tokens=512,
    window=512,
    head_share=1.0,
    rating_head=False,
    class_power=0.0,
    number_format="float32",
    padding="full",
    batch_order="random",
    dropout="bert",
    optimizer="plain",
    schedule="constant",
)

RECIPES = {recipe.name: recipe for recipe in (DEFAULT, NOTEBOOK)}


def recipe_of(kept: dict[str, Any]) -> Recipe:
    """The recipe in a version's training.json.

    What it lacks, because that version is older, is taken from the recipe of the same name. In
    older ones `"notebook": true` stands for all that the notebook does differently.
    """
    known = {field.name for field in fields(Recipe)} & kept.keys()
    base = NOTEBOOK if kept.get("notebook") else RECIPES.get(kept.get("name", ""), DEFAULT)
    if "learning_rate" in known:  # older ones took it for any encoder
        base = replace(base, rate_for=0)
    return replace(base, **{name: kept[name] for name in known})
