"""The loop: what it learns, what it repeats to the last bit, and what the notebook's recipe is."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.optim import AdamW

from classifier.errors import ClassifierError
from classifier.modeling.classifier import PoolingClassifier
from classifier.modeling.pooling import POOLINGS
from classifier.training.checkpoint import Checkpoint, History
from classifier.training.distributed import Group
from classifier.training.loop import Step, TrainingRun, new_model, train
from classifier.training.optimization import optimization, rate_share
from classifier.training.parts import Part
from classifier.training.recipe import NOTEBOOK, Recipe
from tests.tiny import KilledError, predict_tokens

MakePart = Callable[..., Part]
NewModel = Callable[..., PoolingClassifier]


@pytest.fixture(scope="module")
def validation(make_part: MakePart) -> Part:
    return make_part(60, seed=9)


def run(
    model: PoolingClassifier,
    recipe: Recipe,
    parts: tuple[Part, Part],
    file: Path,
    on_step: Callable[[Step], None] = lambda _: None,
    seed: int = 3,
) -> History:
    group = Group(rank=0, size=1, device=torch.device("cpu"))
    return train(model, recipe, *parts, TrainingRun(seed, Checkpoint(file), group, on_step))


def same_weights(one: PoolingClassifier, other: PoolingClassifier) -> bool:
    weights = other.state_dict()
    return all(torch.equal(value, weights[name]) for name, value in one.state_dict().items())


def without_time(history: History) -> list[dict[str, float]]:
    return [{k: v for k, v in epoch.items() if k != "seconds"} for epoch in history]


def test_hidden_states_are_in_the_recipes_format(
    tiny_model: NewModel, tiny_recipe: Recipe, training: Part, tmp_path: Path
) -> None:
    model, recipe = tiny_model(), replace(tiny_recipe, epochs=1)
    seen: set[torch.dtype] = set()
    model.encoder.encoder.layer[-1].register_forward_hook(lambda _m, _i, out: seen.add(out.dtype))
    run(model, recipe, (training.head(16), training.head(8)), tmp_path / "run.safetensors")
    assert seen == {recipe.dtype(torch.device("cpu"))}


@pytest.mark.parametrize("pooling", POOLINGS)
def test_it_learns_and_its_history_says_so(
    pooling: str,
    tiny_model: NewModel,
    tiny_recipe: Recipe,
    make_part: MakePart,
    validation: Part,
    tmp_path: Path,
) -> None:
    model = tiny_model(pooling)
    parts = (make_part(600), validation)
    history = run(model, replace(tiny_recipe, epochs=5), parts, tmp_path / "c.safetensors")
    assert [epoch["epoch"] for epoch in history] == [1, 2, 3, 4, 5]
    first, last = history[0], history[-1]
    for figure in ("train_loss", "validation_loss", "train_rating_loss"):
        assert last[figure] < first[figure]
    assert last["validation_accuracy"] > 0.8  # two in five for the largest class
    assert last["validation_rating_accuracy"] > 1 / 11
    # What the history says of the last epoch is what the model does afterwards.
    outputs = predict_tokens(model, validation.tokens, tiny_recipe.dtype(model.device))
    right = outputs.sentiment_logits.argmax(1) == validation.labels.sentiment
    assert last["validation_accuracy"] == pytest.approx(right.mean())


@pytest.mark.parametrize("killed_in", [2, 3])
def test_a_resumed_training_ends_bit_for_bit_as_an_uninterrupted_one(
    killed_in: int,
    tiny_model: NewModel,
    tiny_recipe: Recipe,
    training: Part,
    validation: Part,
    tmp_path: Path,
) -> None:
    parts = (training, validation)
    whole = tiny_model("cls")
    history = run(whole, tiny_recipe, parts, tmp_path / "whole.safetensors")

    def kill(step: Step) -> None:
        if (step.epoch, step.done) == (killed_in, 5):
            raise KilledError

    file = tmp_path / "killed.safetensors"
    with pytest.raises(KilledError):
        run(tiny_model("cls"), tiny_recipe, parts, file, kill)
    torch.manual_seed(99)  # another process has another state
    resumed = tiny_model("cls", seed=8)
    steps: list[Step] = []
    again = run(resumed, tiny_recipe, parts, file, steps.append)
    assert steps[0].epoch == killed_in, "finished epochs are not trained again"
    assert same_weights(resumed, whole)
    assert without_time(again) == without_time(history)


def test_the_seed_decides_the_outcome(
    tiny_model: NewModel, tiny_recipe: Recipe, training: Part, validation: Part, tmp_path: Path
) -> None:
    recipe = replace(tiny_recipe, epochs=1)
    models = [tiny_model() for _ in range(3)]
    for number, (model, seed) in enumerate(zip(models, (3, 3, 4), strict=True)):
        parts = (training, validation)
        run(model, recipe, parts, tmp_path / f"{number}.safetensors", seed=seed)
    assert same_weights(models[0], models[1])
    assert not same_weights(models[0], models[2])


def test_both_poolings_see_the_same_batches_in_the_same_order(
    tiny_recipe: Recipe, tiny_encoder: Path, training: Part, validation: Part, tmp_path: Path
) -> None:
    seen: dict[str, list[torch.Tensor]] = {}
    for pooling in POOLINGS:
        model = new_model(str(tiny_encoder), pooling, replace(tiny_recipe, epochs=1), seed=0)
        taken = seen.setdefault(pooling, [])

        def note(_: Any, inputs: tuple[Any, ...], taken: list[torch.Tensor] = taken) -> None:
            taken.append(inputs[0].clone())

        model.register_forward_pre_hook(note)
        recipe = replace(tiny_recipe, epochs=1)
        run(model, recipe, (training, validation), tmp_path / f"{pooling}.safetensors")
    assert len(seen["cls"]) == len(seen["mean"])
    assert all(map(torch.equal, seen["cls"], seen["mean"]))


def test_rows_without_a_rating_teach_the_sentiment_alone(
    tiny_model: NewModel, tiny_recipe: Recipe, make_part: MakePart, tmp_path: Path
) -> None:
    unrated = make_part(80, rated=0.0)
    model = tiny_model()
    assert model.rating_head is not None
    before = model.rating_head.weight.clone()
    recipe = replace(tiny_recipe, epochs=1, weight_decay=0.0)
    history = run(model, recipe, (unrated, unrated), tmp_path / "c.safetensors")
    assert "train_rating_loss" not in history[0]
    assert torch.equal(model.rating_head.weight, before)


def test_the_notebook_recipe_pads_to_the_full_length_in_float32_with_plain_adamw(
    tiny_encoder: Path, training: Part, validation: Part, tmp_path: Path
) -> None:
    recipe = replace(NOTEBOOK, epochs=1, max_tokens=96)
    model = new_model(str(tiny_encoder), "cls", recipe, seed=0)
    assert model.rating_head is None
    assert model.config.encoder.attention_probs_dropout_prob > 0, "its dropout is BERT's own"
    widths: set[int] = set()
    model.register_forward_pre_hook(
        lambda module, inputs: widths.add(inputs[0].shape[1]) if module.training else None
    )
    run(model, recipe, (training, validation), tmp_path / "c.safetensors")
    assert widths == {96}
    assert recipe.dtype(torch.device("cpu")) == torch.float32
    (optimizer,) = optimization(model, recipe).optimizers
    assert type(optimizer) is AdamW
    assert {id(p) for g in optimizer.param_groups for p in g["params"]} == {
        id(p) for p in model.parameters()
    }
    assert {rate_share(step, 100, recipe) for step in range(100)} == {1.0}
    assert (NOTEBOOK.learning_rate, NOTEBOOK.epochs, NOTEBOOK.batch_size) == (2e-5, 3, 16)
    assert (NOTEBOOK.max_tokens, NOTEBOOK.head_share) == (512, 1.0)


def test_the_rate_warms_up_and_falls_to_zero(tiny_recipe: Recipe) -> None:
    shares = np.array([rate_share(step, 100, tiny_recipe) for step in range(100)])
    assert shares.argmax() == 9
    assert shares.max() == 1.0
    assert (np.diff(shares[:10]) > 0).all()
    assert (np.diff(shares[10:]) < 0).all()
    assert 0 < shares[-1] < 0.02


@pytest.mark.parametrize("spoiled", ["nothing there", "no weights", "a weight is missing"])
def test_a_folder_that_is_no_encoder_is_one_sentence(
    spoiled: str, tiny_encoder: Path, tmp_path: Path, tiny_recipe: Recipe
) -> None:
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "encoder"
    folder.mkdir()
    if spoiled != "nothing there":
        (folder / "config.json").write_bytes((tiny_encoder / "config.json").read_bytes())
    if spoiled == "a weight is missing":
        weights = load_file(tiny_encoder / "model.safetensors")
        weights.pop("encoder.layer.1.attention.self.query.weight")
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ClassifierError, match="can't be loaded as a model"):
        new_model(str(folder), "cls", tiny_recipe, seed=0)
