from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError

from classifier.errors import ClassifierError
from classifier.modeling.classifier import PoolingClassifier
from classifier.training import checkpoint as checkpoint_module
from classifier.training.checkpoint import Checkpoint, History
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


def test_a_failed_save_leaves_the_earlier_file(
    tiny_model: NewModel, saved: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: object, file: Path, **__: object) -> None:
        file.write_bytes(b"half")
        raise SafetensorError("No space left on device")

    monkeypatch.setattr(checkpoint_module, "save_file", full)
    before = saved.file.read_bytes()
    model = tiny_model(seed=3)
    with pytest.raises(ClassifierError, match=f"nothing was written to {saved.file};"):
        saved.save(model, None, HISTORY * 2)
    assert saved.file.read_bytes() == before
    assert list(saved.file.parent.iterdir()) == [saved.file]
    assert saved.restore(model, optimization(model, DEFAULT)) == HISTORY
