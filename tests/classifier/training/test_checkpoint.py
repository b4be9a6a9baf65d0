"""What is kept of an interrupted training, and who may touch it."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from classifier.errors import ClassifierError
from classifier.modeling.classifier import PoolingClassifier
from classifier.training.checkpoint import Checkpoint, History, RunFolder, run_key
from classifier.training.distributed import Group
from classifier.training.optimization import Optimization, optimization
from classifier.training.recipe import DEFAULT

NewModel = Callable[..., PoolingClassifier]
HISTORY: History = [{"epoch": 1.0, "train_loss": 0.1 + 0.2, "seconds": 1e-9}]


def after_a_step(model: PoolingClassifier) -> Optimization:
    """Optimizers that have something to remember."""
    optimizers = optimization(model, DEFAULT)
    ids = torch.arange(5, 25).view(2, 10)
    output = model(ids, torch.ones_like(ids))
    (output.sentiment_logits.sum() + output.rating_logits.square().sum()).backward()
    optimizers.step(0, 10)
    return optimizers


@pytest.fixture
def saved(tiny_model: NewModel, tmp_path: Path) -> Checkpoint:
    model = tiny_model()
    checkpoint = Checkpoint(tmp_path / "mean-0.safetensors")
    checkpoint.save(model, after_a_step(model), HISTORY)
    return checkpoint


def test_what_was_saved_is_restored_to_the_last_bit(tiny_model: NewModel, tmp_path: Path) -> None:
    model = tiny_model()
    optimizers = after_a_step(model)
    checkpoint = Checkpoint(tmp_path / "mean-0.safetensors")
    checkpoint.save(model, optimizers, HISTORY)
    assert [file.name for file in tmp_path.iterdir()] == ["mean-0.safetensors"]

    other = tiny_model(seed=9)
    others = optimization(other, DEFAULT)
    assert checkpoint.restore(other, others) == HISTORY
    for name, value in model.state_dict().items():
        assert torch.equal(value, other.state_dict()[name])
    state, restored = dict(optimizers.tensors()), dict(others.tensors())
    assert state.keys() == restored.keys()
    assert all(torch.equal(value, restored[name]) for name, value in state.items())


def test_after_the_last_epoch_the_optimizers_are_not_kept(
    tiny_model: NewModel, saved: Checkpoint
) -> None:
    whole = saved.file.stat().st_size
    model = tiny_model(seed=4)
    saved.save(model, None, HISTORY)
    assert saved.file.stat().st_size < 0.4 * whole
    other = tiny_model()
    assert saved.restore(other, optimization(other, DEFAULT)) == HISTORY
    assert torch.equal(other.sentiment_head.weight, model.sentiment_head.weight)


def test_without_a_file_there_is_no_history(tiny_model: NewModel, tmp_path: Path) -> None:
    model = tiny_model()
    before = model.sentiment_head.weight.clone()
    nowhere = Checkpoint(tmp_path / "nowhere.safetensors")
    assert nowhere.restore(model, optimization(model, DEFAULT)) == []
    assert torch.equal(model.sentiment_head.weight, before)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.5, 0.999])
def test_a_truncated_file_is_ignored(tiny_model: NewModel, saved: Checkpoint, share: float) -> None:
    whole = saved.file.read_bytes()
    saved.file.write_bytes(whole[: int(len(whole) * share)])
    model = tiny_model(seed=6)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    optimizers = optimization(model, DEFAULT)
    assert saved.restore(model, optimizers) == []
    assert dict(optimizers.tensors()) == {}
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def start(models: Path, key: str, group: Group, resume: bool = False) -> None:
    """A run that was interrupted after one epoch of CLS."""
    with RunFolder.open(models, key, group, resume=resume) as run:
        run.choose({"train": ["a"], "holdout": ["b"]})
        run.checkpoint("cls", 0).file.write_bytes(b"weights")


def test_the_key_depends_on_all_that_decides_the_outcome() -> None:
    key = run_key({"seed": 0}, "reviews", "encoder")
    assert key == run_key({"seed": 0}, "reviews", "encoder")
    others = {
        run_key({"seed": 1}, "reviews", "encoder"),
        run_key({"seed": 0}, "other reviews", "encoder"),
        run_key({"seed": 0}, "reviews", "other encoder"),
    }
    assert len(others | {key}) == 4


def test_resuming_finds_what_was_chosen_and_starting_anew_forgets_it(
    tmp_path: Path, alone: Group
) -> None:
    start(tmp_path, "key", alone)
    with RunFolder.open(tmp_path, "key", alone, resume=True) as run:
        assert run.choices() == {"train": ["a"], "holdout": ["b"]}
        assert run.what_is_there().endswith("(with its seed): cls-0.")
    with RunFolder.open(tmp_path, "key", alone, resume=False) as run:
        assert run.choices() is None
        assert "Nothing to resume" in run.what_is_there()


def test_a_finished_run_leaves_nothing(tmp_path: Path, alone: Group) -> None:
    start(tmp_path, "key", alone)
    with RunFolder.open(tmp_path, "key", alone, resume=True) as run:
        run.finish()
    assert list((tmp_path / ".unfinished").iterdir()) == []


def test_two_processes_are_never_at_the_same_run(tmp_path: Path, alone: Group) -> None:
    with (
        RunFolder.open(tmp_path, "key", alone, resume=False),
        pytest.raises(ClassifierError, match="under way in another process"),
        RunFolder.open(tmp_path, "key", alone, resume=True),
    ):
        pass
    start(tmp_path, "key", alone)  # free again once the first has ended


def test_only_the_newest_interrupted_runs_are_kept(tmp_path: Path, alone: Group) -> None:
    for age, key in enumerate("abcde"):
        start(tmp_path, key, alone)
        os.utime(tmp_path / ".unfinished" / key, (1000 + age, 1000 + age))
    start(tmp_path, "new", alone)
    kept = {folder.name for folder in (tmp_path / ".unfinished").iterdir()}
    assert kept == {"new", "c", "d", "e"}


def test_an_old_run_that_is_under_way_is_not_removed(tmp_path: Path, alone: Group) -> None:
    with RunFolder.open(tmp_path, "slow", alone, resume=False) as slow:
        slow.choose({"train": []})
        os.utime(slow.folder, (1, 1))
        for key in "abcd":
            start(tmp_path, key, alone)
        assert slow.choices() == {"train": []}
