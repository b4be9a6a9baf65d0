"""The two recipes: ours, and the reference notebook's."""

import math
from dataclasses import dataclass, replace

import torch

from classifier.modeling.device import compute_dtype
from classifier.modeling.pooling import POOLINGS

_WHOLE = 2**31 - 1  # tokens


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the outcome of a training but the data, encoder and seed."""

    name: str = "default"
    epochs: int = 3
    adaptation_epochs: int = 1  # of the encoder to the texts, before, see adaptation.py
    least_steps: int = 650  # where the epochs over few reviews are less, see mixing.py
    batch_size: int = 16
    learning_rate: float = 4e-4
    warmup_share: float = 0.1  # of all steps; then linear decay to zero
    weight_decay: float = 0.01
    word_rate: float = 5.0  # times the learning rate for the word embeddings
    max_tokens: int = 1024
    window: int = 256  # of those, how many in a row a training step reads, see windows.py
    word_dropout: float = 0.15  # of the words hidden in a step, see word_dropout.py
    head_share: float = 0.5  # of the tokens kept of a long review; 1.0 keeps its beginning only
    rating_head: bool = True
    notebook: bool = False  # full padding, float32, constant rate, no tricks

    def mixed_for(self, rows: int) -> int:
        """How many mixed reviews make `least_steps` steps possible with so many training rows."""
        return max(0, math.ceil(self.least_steps * self.batch_size / self.epochs) - rows)

    def for_mixed(self) -> "Recipe":
        """The recipe where reviews are mixed of few: those share their words."""
        return replace(self, word_rate=1.0, word_dropout=0.0, adaptation_epochs=0)

    def for_encoder(self, positions: int, has_mask: bool) -> "Recipe":
        """The recipe for an encoder that reads `positions` tokens at once, and knows a [MASK]."""
        fitting = replace(self, max_tokens=min(self.max_tokens, positions))
        return fitting if has_mask else replace(fitting, word_dropout=0.0, adaptation_epochs=0)

    @property
    def all_epochs(self) -> int:
        """Passes over the training texts for one seed."""
        return self.adaptation_epochs + self.epochs * len(POOLINGS)

    @property
    def trained_tokens(self) -> int:
        """Where texts to train on are cut: not at all, if windows are drawn from them anyway."""
        return _WHOLE if self.window < self.max_tokens else self.max_tokens

    def dtype(self, device: torch.device) -> torch.dtype:
        """The number format of the matrix products."""
        return torch.float32 if self.notebook else compute_dtype(device)


# Most words come up in a handful of reviews only, and their embeddings would hardly move in 3
# epochs: they take five times the rate. See docs/experiments.md.
DEFAULT = Recipe()

# AdamW at 2e-5, cross-entropy on the sentiment alone, 3 epochs, batches of 16 in random
# order, every review padded to 512 tokens: slow, and kept so that its table can be had again.
NOTEBOOK = Recipe(
    name="notebook",
    adaptation_epochs=0,
    word_dropout=0.0,
    least_steps=0,
    learning_rate=2e-5,
    warmup_share=0.0,
    word_rate=1.0,
    max_tokens=512,
    window=512,
    head_share=1.0,
    rating_head=False,
    notebook=True,
)

RECIPES = {recipe.name: recipe for recipe in (DEFAULT, NOTEBOOK)}
