"""The pair that answers is replaced while reviews are in flight."""

import asyncio
from pathlib import Path

import pytest

import bot.__main__ as start
from bot.errors import BotError
from bot.prediction.live_models import LiveModels, _warn_of_float32, load_models
from bot.prediction.queue import PredictionQueue, Predicts
from classifier.errors import ClassifierError
from classifier.modeling.pooling import POOLINGS, Pooling
from classifier.registry.registry import Registry
from classifier.serving.predictor import Prediction
from tests.bot.predictors import InventedPredictor, prediction

pytestmark = pytest.mark.anyio


def names(registry: Registry) -> list[str]:
    return [version.name for version in registry.versions()]


class Numbered(InventedPredictor):
    """A pair that says which one it is."""

    def __init__(self, version: str) -> None:
        super().__init__()
        self.name = version

    @property
    def version(self) -> str:  # type: ignore[override]
        return self.name

    def predict(
        self, texts: list[str], most_tokens: int | None = None
    ) -> list[dict[Pooling, Prediction]]:
        return [{each: prediction(each, version=self.name) for each in POOLINGS} for _ in texts]


def loads_numbered(folder: Path) -> Predicts:
    return Numbered(folder.name)


async def test_under_load_no_review_is_lost_or_half_swapped(registry: Registry) -> None:
    first, second = names(registry)
    live = LiveModels(load_models(registry.get(first).path), registry, load_models)
    queue = PredictionQueue(live, max_batch=4, limit=1000)
    await queue.start()
    swapped = asyncio.Event()
    sent, answers = 0, []

    async def send() -> None:
        nonlocal sent
        while not swapped.is_set():
            sent += 1
            answers.append(await queue.predict(f"Отзыв номер {sent}, и он хорош."))

    senders = [asyncio.create_task(send()) for _ in range(32)]
    for version in (second, first) * 4:
        live.take(await live.load(version))
        before = len(answers)
        async with asyncio.timeout(60):
            while len(answers) < before + 64:
                await asyncio.sleep(0.001)
        assert answers[-1]["mean"].version == version
    swapped.set()
    await asyncio.gather(*senders)
    await queue.stop()
    assert len(answers) == sent
    seen = set()
    for answer in answers:
        assert set(answer) == set(POOLINGS)
        (version,) = {each.version for each in answer.values()}
        seen.add(version)
    assert seen == {first, second}


async def test_a_pair_that_fails_its_self_test_is_not_taken(registry: Registry) -> None:
    first, second = names(registry)

    class Broken(Numbered):
        def predict(
            self, texts: list[str], most_tokens: int | None = None
        ) -> list[dict[Pooling, Prediction]]:
            raise RuntimeError("a weight is not finite")

    live = LiveModels(Numbered(first), registry, lambda folder: Broken(folder.name))
    with pytest.raises(BotError, match=f"{second} fails its self-test"):
        await live.load(second)
    assert live.version == first


async def test_a_damaged_version_is_not_taken(registry: Registry) -> None:
    first, second = names(registry)
    live = LiveModels(load_models(registry.get(first).path), registry, load_models)
    (registry.root / second / "cls" / "model.safetensors").write_bytes(b"half")
    with pytest.raises(ClassifierError):
        await live.load(second)
    assert live.predict(["Хорошо."])[0]["cls"].version == first


async def test_it_follows_a_champion_promoted_elsewhere(registry: Registry) -> None:
    first, second = names(registry)
    live = LiveModels(Numbered(second), registry, loads_numbered)
    assert await live.follow() is None
    Registry(registry.root).promote(first)  # as the command line does
    assert await live.follow() is None
    assert live.version == first
    (registry.root / "champion").write_text("20260101T000000Z-00000000\n")  # there is none
    assert "No usable champion" in (await live.follow() or "")
    assert live.version == first
    registry.promote(second)
    assert await live.follow() is None
    assert live.version == second
    (registry.root / "champion").unlink()
    assert "There is no champion in" in (await live.follow() or "")
    assert live.version == second


@pytest.mark.parametrize("has_bfloat16", [True, False])
async def test_the_log_says_once_that_bfloat16_is_missing(
    has_bfloat16: bool,
    registry: Registry,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("classifier.modeling.device.cpu_has_bfloat16", lambda: has_bfloat16)
    _warn_of_float32.cache_clear()
    first, second = (registry.get(name) for name in names(registry))
    live = LiveModels(start._load(first), registry, load_models)
    live.take(await live.load(second.name))
    assert caplog.text.count("no bfloat16 on this machine") == (not has_bfloat16)
