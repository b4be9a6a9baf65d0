"""The encoder learns the reviews' words, can be interrupted, and both poolings start from it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import BertModel, PreTrainedTokenizerBase

from classifier.data.tokens import Tokens
from classifier.modeling.classifier import PoolingClassifier
from classifier.training.adaptation import adapt
from classifier.training.checkpoint import Checkpoint, History
from classifier.training.distributed import Group
from classifier.training.loop import Step, TrainingRun
from classifier.training.parts import Part
from classifier.training.recipe import Recipe
from tests.tiny import KilledError

MakePart = Callable[..., Part]
NewModel = Callable[..., PoolingClassifier]


@pytest.fixture
def run(
    training: Part, tokenizer: PreTrainedTokenizerBase, tiny_recipe: Recipe, alone: Group
) -> Callable[..., History]:
    """`run(bert, file, epochs=3, on_step=..., tokens=training.tokens)`: adapt with seed 7."""

    def adapted(
        bert: BertModel,
        file: Path,
        epochs: int = 3,
        on_step: Callable[[Step], None] = lambda _: None,
        tokens: Tokens = training.tokens,
    ) -> History:
        recipe = replace(tiny_recipe, adaptation_epochs=epochs, learning_rate=3e-3)
        mask_id = tokenizer.mask_token_id
        assert isinstance(mask_id, int)
        run = TrainingRun(7, Checkpoint(file), alone, on_step)
        return adapt(bert, recipe, tokens, mask_id, run)

    return adapted


def monotonous(count: int) -> Tokens:
    """Texts of one word, 30 times over, of 60 words."""
    inner = np.random.default_rng(0).integers(100, 160, (count, 1)).repeat(30, axis=1)
    ends = np.full((count, 1), 2), np.full((count, 1), 3)
    ids = np.concatenate([ends[0], inner, ends[1]], axis=1).astype(np.int32)
    return Tokens(ids.flatten(), np.arange(count + 1, dtype=np.int64) * 32, pad_id=0)


def same(one: BertModel, other: BertModel) -> bool:
    weights = other.state_dict()
    return all(torch.equal(value, weights[name]) for name, value in one.state_dict().items())


def test_it_learns_to_guess_words_by_the_words_around(
    tiny_model: NewModel, run: Callable[..., History], tmp_path: Path
) -> None:
    history = run(tiny_model().encoder, tmp_path / "a.safetensors", 3, tokens=monotonous(600))
    assert [epoch["epoch"] for epoch in history] == [1, 2, 3]
    assert history[0]["accuracy"] < 0.5
    assert history[-1]["accuracy"] > 0.9


def test_what_is_resumed_ends_bit_for_bit_as_what_was_not_interrupted(
    tiny_model: NewModel, run: Callable[..., History], tmp_path: Path
) -> None:
    whole = tiny_model().encoder
    history = run(whole, tmp_path / "whole.safetensors")

    def kill(step: Step) -> None:
        if (step.epoch, step.done) == (2, 5):
            raise KilledError

    file = tmp_path / "killed.safetensors"
    with pytest.raises(KilledError):
        run(tiny_model().encoder, file, on_step=kill)
    torch.manual_seed(99)  # another process has another state
    resumed = tiny_model(seed=8).encoder
    steps: list[Step] = []
    again = run(resumed, file, on_step=steps.append)
    assert steps[0].epoch == 2, "finished epochs are not done again"
    assert same(resumed, whole)
    assert [epoch["loss"] for epoch in again] == [epoch["loss"] for epoch in history]


def test_the_checkpoint_holds_the_encoder_that_came_of_it(
    tiny_model: NewModel, run: Callable[..., History], tmp_path: Path
) -> None:
    file = tmp_path / "a.safetensors"
    bert, fresh = tiny_model().encoder, tiny_model("cls")
    run(bert, file, epochs=1)
    assert not same(fresh.encoder, bert)
    fresh.encoder.load_state_dict(Checkpoint(file).weights("encoder."))
    assert same(fresh.encoder, bert)
