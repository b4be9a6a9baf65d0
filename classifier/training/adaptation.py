"""The encoder adapted to the language of the reviews, before either pooling is trained.

Masked-language modelling (Devlin et al. 2019, https://arxiv.org/abs/1810.04805) on the training
texts themselves (Gururangan et al. 2020, https://arxiv.org/abs/2004.10964). Both poolings start
from the same adapted encoder: it is trained once for the two.
"""

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel

from classifier.data.tokens import Tokens, shuffled_batches
from classifier.training.augmentation import random_windows
from classifier.training.checkpoint import History
from classifier.training.distributed import Group
from classifier.training.loop import Forward, TrainingRun, run_epochs
from classifier.training.masked_words import Candidates, MaskedBatch, WordModel
from classifier.training.recipe import Recipe


def adapt(
    encoder: PreTrainedModel, recipe: Recipe, texts: Tokens, mask_id: int, run: TrainingRun
) -> History:
    """Train `encoder` in place for the recipe's `adaptation_epochs`, and return the loss by epoch.

    It reads what the poolings' training reads, windows of the training texts, and no labels.
    """
    torch.manual_seed(run.seed)
    recipe = replace(recipe, word_rate=1.0, averaging=False)
    objective = _MaskedWords(recipe, texts, mask_id, run.group)
    return run_epochs(WordModel(encoder), recipe, recipe.adaptation_epochs, objective, run)


class _MaskedWords:
    """Hidden words of the texts, each to be guessed among thousands of others."""

    def __init__(self, recipe: Recipe, texts: Tokens, mask_id: int, group: Group) -> None:
        self._recipe = recipe
        self._texts = texts
        self._mask_id = mask_id
        self._group = group
        self._candidates = Candidates(texts)

    def begin_epoch(self, chance: np.random.Generator) -> list[NDArray[np.int64]]:
        self._chance = chance
        self._tokens = random_windows(self._texts, self._recipe.window, chance)
        # loss, right guesses, guesses
        self._sums = torch.zeros(3, dtype=torch.float64, device=self._group.device)
        lengths, batch_size = self._tokens.lengths, self._recipe.batch_size
        return shuffled_batches(lengths, batch_size, chance, like_length=True)

    def loss(self, forward: Forward, rows: NDArray[np.int64]) -> tuple[Tensor, float]:
        tokens = self._tokens.batch(rows)
        batch = MaskedBatch.draw(*tokens, self._mask_id, self._candidates, self._chance)
        share = batch.share_of(self._group)
        inputs = share.input_ids, share.attention_mask, share.places, share.words
        scores = forward(*inputs).float() + share.correction
        loss = cross_entropy(scores, share.truth, reduction="sum") / len(batch.truth)
        right = (scores.argmax(1) == share.truth).sum()
        sums = (loss.detach() * len(batch.truth), right, torch.tensor(len(share.truth)))
        self._sums += torch.stack([value.to(self._sums) for value in sums])
        return loss, self._group.size  # DDP divides by it

    def figures(self, forward: Forward) -> dict[str, float]:  # noqa: ARG002 nothing to validate
        loss, right, guesses = self._group.total(self._sums).tolist()
        return {"loss": loss / guesses, "accuracy": right / guesses}
