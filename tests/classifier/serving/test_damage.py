"""Damaged models, generated: each is refused when it is loaded, in a sentence with its file."""

import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from bot.__main__ import _load
from bot.prediction.live_models import LiveModels, load_models
from classifier.errors import ClassifierError
from classifier.registry.registry import Registry
from classifier.registry.version import Version
from classifier.serving.predictor import Predictor, load_model
from classifier.training.console import CommandConsole
from tests.classifier.command_line import CommandLine

CPU = torch.device("cpu")
WEIGHTS, CONFIG = "model.safetensors", "config.json"
Tensors = dict[str, Tensor]


@pytest.fixture
def models(tmp_path: Path, two_versions: Path) -> Path:
    return shutil.copytree(two_versions, tmp_path / "models")


@pytest.fixture
def folder(models: Path) -> Path:
    """A sound model."""
    champion = Registry(models).get("champion").path / "mean"
    load_model(champion, CPU)
    return champion


def refused(folder: Path, file: str) -> None:
    with pytest.raises(ClassifierError) as raised:
        load_model(folder, CPU)
    said = str(raised.value)
    assert str(folder / file) in said
    assert "\n" not in said
    assert len(said) < 600


def spoiled_tensors(sound: Tensors) -> Iterator[Tensors]:
    for name, tensor in sound.items():
        for value in (float("nan"), float("inf"), -float("inf")):
            other = tensor.clone()
            other.view(-1)[-1] = value
            yield sound | {name: other}
        yield {each: kept for each, kept in sound.items() if each != name}
        yield sound | {name: tensor[:-1].clone()}
        yield sound | {name: tensor.new_zeros((*tensor.shape, 1))}
        yield sound | {name: tensor.to(torch.int32)}
        yield sound | {f"{name}2": tensor.clone()}


def test_weights_that_are_none(folder: Path) -> None:
    sound = load_file(folder / WEIGHTS)
    count = 0
    for tensors in spoiled_tensors(sound):
        save_file(tensors, folder / WEIGHTS)
        refused(folder, WEIGHTS)
        count += 1
    assert count == 41 * 8


def test_weights_cut_anywhere(folder: Path) -> None:
    whole, chance = (folder / WEIGHTS).read_bytes(), random.Random(0)
    anywhere = (chance.randrange(len(whole)) for _ in range(60))
    for length in (0, 1, 7, 8, 9, len(whole) - 1, *anywhere):
        (folder / WEIGHTS).write_bytes(whole[:length])
        refused(folder, WEIGHTS)
    (folder / WEIGHTS).write_bytes(b"<!doctype html>" * 1000)
    refused(folder, WEIGHTS)


NUMBERS: tuple[Any, ...] = (0, -1, 1.5, float("nan"), float("inf"), None, "8", True, [], {})
COUNTS = (
    *("max_tokens", "vocab_size", "max_position_embeddings", "type_vocab_size", "hidden_size"),
    *("intermediate_size", "num_hidden_layers", "num_attention_heads"),
)
SETTINGS: dict[str, tuple[Any, ...]] = {
    "temperature": (0, -1.0, float("nan"), float("inf"), None, "1", True, []),
    "head_share": (-0.5, 1.5, float("nan"), None, "1", True),
    "layer_norm_eps": (0, -1, float("nan"), None, "1"),
    "pooling": ("max", None, 1, [], ""),
    "rating_head": (None, 1, "yes"),
    "keep_ratings": (None, 1, "no"),
    **dict.fromkeys(COUNTS, (*NUMBERS, 3, 10**6)),
}


def with_setting(config: dict[str, Any], name: str, *value: Any) -> dict[str, Any]:
    """The configuration with another value of ours or of the encoder's, or without one."""
    if name not in config:
        return config | {"encoder": with_setting(config["encoder"], name, *value)}
    others = {key: kept for key, kept in config.items() if key != name}
    return {**others, name: value[0]} if value else others


def test_settings_that_are_none(folder: Path) -> None:
    sound = json.loads((folder / CONFIG).read_text())
    spoiled = [with_setting(sound, name, each) for name in SETTINGS for each in SETTINGS[name]]
    spoiled += [with_setting(sound, name) for name in SETTINGS]
    none: tuple[Any, ...] = (None, [], "bert", {})
    spoiled += [sound | {"encoder": value} for value in none]
    for config in spoiled:
        if config.get("max_tokens") == 3:
            continue  # sound: few tokens are read
        (folder / CONFIG).write_text(json.dumps(config))
        with pytest.raises(ClassifierError, match=rf"{folder}/(config\.json|model\.safe)"):
            load_model(folder, CPU)
    for text in ("", "[]", "{", "null", "\x00", "<html>", "[" * 100_000):
        (folder / CONFIG).write_text(text)
        refused(folder, CONFIG)
    (folder / CONFIG).write_bytes(b"\xff\xfe{}")
    refused(folder, CONFIG)


def test_a_rating_head_that_only_one_of_two_files_has(folder: Path) -> None:
    config = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps(config | {"rating_head": False}))
    refused(folder, WEIGHTS)


def test_weights_too_large_to_answer_with_numbers(models: Path) -> None:
    version = Registry(models).get("champion").path
    tensors = load_file(version / "cls" / WEIGHTS)
    tensors["sentiment_head.weight"].fill_(3e38)
    save_file(tensors, version / "cls" / WEIGHTS)
    predictor = Predictor(version, CPU)
    with pytest.raises(ClassifierError, match="answers with something else than numbers"):
        predictor.predict(["Хорошо"])


def swap(version: Version) -> None:
    """The weights of another version, of the same shapes."""
    other = next(one for one in Registry(version.path.parent).versions() if one != version)
    shutil.copy(other.path / "mean" / WEIGHTS, version.path / "mean" / WEIGHTS)


def flip(version: Version, file: str = f"mean/{WEIGHTS}", at: int = -2) -> None:
    """One bit, which leaves the numbers finite."""
    content = bytearray((version.path / file).read_bytes())
    content[at] ^= 1
    (version.path / file).write_bytes(bytes(content))


def test_one_bit_anywhere(models: Path) -> None:
    version, chance = Registry(models).get("champion"), random.Random(0)
    for file in sorted(version.manifest()):
        size = (version.path / file).stat().st_size
        for at in {chance.randrange(size) for _ in range(8)}:
            flip(version, file, at)
            with pytest.raises(ClassifierError, match=Path(file).name):
                version.verify()
            flip(version, file, at)
    version.verify()


@pytest.mark.parametrize("damage", [flip, swap])
@pytest.mark.parametrize(
    "command",
    [
        ("predict", "Хорошо"),
        ("evaluate", "champion", "--reviews", "sample"),
        ("models", "promote", "champion"),
    ],
)
def test_every_command_refuses_a_changed_model(
    command: tuple[str, ...],
    damage: Callable[[Version], None],
    models: Path,
    tiny_encoder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(CommandConsole, "encoder", lambda *_, **__: None)
    version = Registry(models).get("champion")
    training = version.training() | {"encoder": {}}
    monkeypatch.setattr(Version, "training", lambda _: training)
    damage(version)
    status, _, err = CommandLine(tmp_path, tiny_encoder).here(*command, "--models", str(models))
    assert status == 1
    assert "model.safetensors is damaged" in err
    assert err.count("\n") == 1


@pytest.mark.anyio
async def test_the_bot_neither_starts_with_it_nor_takes_it(models: Path) -> None:
    registry = Registry(models)
    sound, champion = (version.name for version in registry.versions())
    flip(registry.get(champion))
    with pytest.raises(ClassifierError, match="is damaged"):
        _load(registry.get(champion))
    live = LiveModels(load_models(registry.get(sound).path), registry, load_models)
    with pytest.raises(ClassifierError, match="is damaged"):
        await live.load(champion)
    assert "is damaged" in (await live.follow() or "")
    assert live.version == sound
