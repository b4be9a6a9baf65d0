"""The two recipes: ours, and the reference notebook's."""

import math
from dataclasses import dataclass

import torch

from classifier.attention import compute_dtype


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the outcome of a training but the data, encoder and seed."""

    name: str = "default"
    epochs: int = 3
    least_steps: int = 400  # a small set of reviews is gone through more often than `epochs`
    batch_size: int = 16
    learning_rate: float = 4e-4
    word_rate: float = 10.0  # the word embeddings' learning rate, relative to the others'
    warmup_share: float = 0.1  # of all steps; then linear decay to zero
    weight_decay: float = 0.01
    max_tokens: int = 256
    head_share: float = 0.5  # of the tokens kept of a long review; 1.0 keeps its beginning only
    rating_head: bool = True
    notebook: bool = False  # full padding, float32, constant rate, no tricks

    def epochs_for(self, rows: int) -> int:
        """Epochs over so many training rows that are at least `least_steps` steps together."""
        return max(self.epochs, math.ceil(self.least_steps * self.batch_size / rows))

    def dtype(self, device: torch.device) -> torch.dtype:
        """The number format of the matrix products."""
        return torch.float32 if self.notebook else compute_dtype(device)


DEFAULT = Recipe()

# AdamW at 2e-5, cross-entropy on the sentiment alone, 3 epochs, batches of 16 in random
# order, every review padded to 512 tokens: slow, and kept so that its table can be had again.
NOTEBOOK = Recipe(
    name="notebook",
    least_steps=0,
    learning_rate=2e-5,
    word_rate=1.0,
    warmup_share=0.0,
    max_tokens=512,
    head_share=1.0,
    rating_head=False,
    notebook=True,
)

RECIPES = {recipe.name: recipe for recipe in (DEFAULT, NOTEBOOK)}
