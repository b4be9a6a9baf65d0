"""The encoder taught the reviews' language before either pooling is trained.

Masked-language modelling (Devlin et al. 2019, https://arxiv.org/abs/1810.04805) on the training
texts themselves (Gururangan et al. 2020, https://arxiv.org/abs/2004.10964). Both poolings start
from the same adapted encoder: it is trained once for the two.
"""

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch.nn.functional import cross_entropy
from transformers import BertModel

from classifier.data.tokens import Tokens, shuffled_batches
from classifier.memory import give_back_freed_pages
from classifier.modeling.attention import attention_for
from classifier.modeling.device import keep_hidden_in
from classifier.training.checkpoint import Checkpoint, History
from classifier.training.distributed import Group
from classifier.training.dropout import use_fast_dropout
from classifier.training.loop import KEEPING_STEPS, Step, epoch_seed
from classifier.training.masked_words import Candidates, MaskedBatch
from classifier.training.optimization import optimization
from classifier.training.recipe import Recipe
from classifier.training.windows import random_windows
from classifier.training.word_model import WordModel


def adapt(
    bert: BertModel,
    recipe: Recipe,
    texts: Tokens,
    mask_id: int,
    seed: int,
    checkpoint: Checkpoint,
    group: Group,
    on_step: Callable[[Step], None],
    on_epoch: Callable[[dict[str, float]], None],
) -> History:
    """Train `bert` in place for the recipe's `adaptation_epochs`, and give the loss by epoch.

    It reads what the poolings' training reads, windows of the training texts, and no label.
    Taken up from its checkpoint it goes on as `training.train` does.
    """
    dtype = recipe.dtype(group.device)
    torch.manual_seed(seed)
    model = WordModel(bert).to(group.device)
    bert.set_attn_implementation(attention_for(group.device, dtype))
    keep_hidden_in(bert, dtype)
    use_fast_dropout(model)
    optimizers = optimization(model, replace(recipe, word_rate=1.0))
    history = checkpoint.restore(model, optimizers)
    replica = group.replicate(model)
    candidates = Candidates(texts)
    epochs = recipe.adaptation_epochs
    model.train()
    for epoch in range(len(history), epochs):
        started = time.perf_counter()
        torch.manual_seed(epoch_seed(seed, epoch, group.rank))  # dropout
        chance = np.random.default_rng((seed, epoch))
        tokens = random_windows(texts, recipe.window, chance)
        batches = shuffled_batches(tokens.lengths, recipe.batch_size, chance, like_length=True)
        sums = torch.zeros(3, dtype=torch.float64, device=group.device)  # loss, right, guesses
        for number, rows in enumerate(batches):
            batch = MaskedBatch.draw(*tokens.batch(rows), mask_id, candidates, chance)
            share = batch.share_of(group)
            with torch.autocast(group.device.type, dtype, enabled=dtype != torch.float32):
                scores = replica(*share.inputs())
            scores = scores.float() + share.correction
            loss = cross_entropy(scores, share.truth, reduction="sum") / len(batch.truth)
            (loss * group.size).backward()  # DDP divides by the group's size
            optimizers.step(epoch * len(batches) + number, epochs * len(batches))
            right = (scores.argmax(1) == share.truth).sum()
            figures = (loss.detach() * len(batch.truth), right, torch.tensor(len(share.truth)))
            sums += torch.stack([figure.to(sums) for figure in figures])
            if (number + 1) % KEEPING_STEPS == 0:
                give_back_freed_pages()
            on_step(Step(epoch + 1, epochs, number + 1, len(batches), loss.item()))
        lost, guessed, guesses = group.total(sums).tolist()
        history.append(
            {
                "epoch": float(epoch + 1),
                "loss": lost / guesses,
                "accuracy": guessed / guesses,
                "seconds": time.perf_counter() - started,
            }
        )
        if group.is_first:
            checkpoint.save(model, None if epoch + 1 == epochs else optimizers, history)
        on_epoch(history[-1])
        group.wait()
    return history
