"""Reviews that wait together are predicted together, and the event loop never waits for them."""

import asyncio
import time
from pathlib import Path

import pytest
import torch

from bot.prediction.queue import PredictionQueue, QueueFull
from classifier.modeling.pooling import Pooling
from classifier.registry.registry import Registry
from classifier.serving.predictor import Prediction, Predictor
from tests import tiny
from tests.bot.predictors import InventedPredictor, prediction

pytestmark = pytest.mark.anyio

LONGEST_HOLD = 0.1
"""Seconds; a person does not notice so much."""

FEWEST_TURNS = 40
"""Of the loop in more than a second; with the slow predictions on it there are three."""


class EchoingPredictor(InventedPredictor):
    """Tells the texts apart by the version it names; "bad" fails."""

    def predict(
        self, texts: list[str], most_tokens: int | None = None
    ) -> list[dict[Pooling, Prediction]]:
        super().predict(texts, most_tokens)
        if "bad" in texts:
            raise ValueError("a bad text")
        return [{"cls": prediction("cls", version=text)} for text in texts]


async def test_each_caller_gets_the_prediction_of_its_own_text() -> None:
    predictor = EchoingPredictor()
    queue = PredictionQueue(predictor, max_batch=16, limit=100)
    await queue.start()
    predictor.gate.clear()
    calls = [asyncio.create_task(queue.predict(str(number))) for number in range(40)]
    await asyncio.sleep(0)
    predictor.gate.set()
    answers = await asyncio.gather(*calls)
    await queue.stop()
    assert [answer["cls"].version for answer in answers] == [str(n) for n in range(40)]
    assert max(map(len, predictor.batches)) == 16
    assert sum(map(len, predictor.batches)) == 40


async def test_people_take_turns() -> None:
    predictor = InventedPredictor()
    predictor.gate.clear()
    queue = PredictionQueue(predictor, max_batch=4, limit=100)
    await queue.start()
    flood = [asyncio.create_task(queue.predict(f"flood {number}", 1)) for number in range(60)]
    await asyncio.sleep(0.05)  # the first four are in the predictor's hands
    others = [asyncio.create_task(queue.predict(f"one of {who}", who)) for who in (2, 3)]
    await asyncio.sleep(0)
    predictor.gate.set()
    await asyncio.gather(*flood, *others)
    await queue.stop()
    assert predictor.batches[1] == ["flood 4", "one of 2", "one of 3", "flood 5"]
    assert [text for batch in predictor.batches for text in batch if "flood" in text] == [
        f"flood {number}" for number in range(60)
    ]


async def test_a_failure_reaches_the_callers_of_its_batch_alone() -> None:
    predictor = EchoingPredictor()
    queue = PredictionQueue(predictor, max_batch=2, limit=100)
    await queue.start()
    calls = [queue.predict(text) for text in ("bad", "with it", "good", "good too")]
    first, second, *others = await asyncio.gather(*calls, return_exceptions=True)
    after = await queue.predict("after")
    await queue.stop()
    assert isinstance(first, ValueError)
    assert isinstance(second, ValueError)
    assert not any(isinstance(other, Exception) for other in others)
    assert after["cls"].version == "after"


async def test_beyond_the_limit_a_review_is_refused_at_once() -> None:
    predictor = InventedPredictor()
    predictor.gate.clear()
    queue = PredictionQueue(predictor, max_batch=1, limit=3)
    await queue.start()
    calls = [asyncio.create_task(queue.predict("review")) for _ in range(3)]
    await asyncio.sleep(0)
    assert queue.waiting == 3
    with pytest.raises(QueueFull):
        await queue.predict("one too many")
    predictor.gate.set()
    await asyncio.gather(*calls)
    assert queue.waiting == 0
    await queue.predict("there is room again")
    await queue.stop()


async def test_stopping_finishes_what_waits_and_takes_no_more() -> None:
    predictor = InventedPredictor()
    predictor.gate.clear()
    queue = PredictionQueue(predictor, max_batch=4, limit=100)
    await queue.start()
    calls = [asyncio.create_task(queue.predict("review")) for _ in range(10)]
    await asyncio.sleep(0)
    stopping = asyncio.create_task(queue.stop())
    predictor.gate.set()
    await stopping
    assert len(await asyncio.gather(*calls)) == 10
    with pytest.raises(RuntimeError):
        await queue.predict("too late")


async def test_a_cancelled_caller_disturbs_nobody() -> None:
    predictor = InventedPredictor()
    predictor.gate.clear()
    queue = PredictionQueue(predictor, max_batch=1, limit=100)
    await queue.start()
    in_hand, waiting, other = (asyncio.create_task(queue.predict(text)) for text in "abc")
    while queue.waiting != 2:
        await asyncio.sleep(0)
    in_hand.cancel()
    waiting.cancel()
    predictor.gate.set()
    assert await other
    await queue.stop()
    assert predictor.batches == [["a"], ["c"]]


async def turns_of_the_loop(done: asyncio.Event) -> list[float]:
    """What the event loop's thread computed in each turn, in seconds.

    Not what the clock says: on a busy machine that is how long other programs took.
    """
    turns = []
    while not done.is_set():
        before = time.thread_time()
        await asyncio.sleep(0.005)
        turns.append(time.thread_time() - before)
    return turns


@pytest.mark.parametrize("kind", ["tiny models", "slow"])
async def test_the_loop_keeps_turning_while_fifty_reviews_are_in_flight(
    kind: str, tiny_models: Path
) -> None:
    if kind == "slow":
        queue = PredictionQueue(InventedPredictor(seconds=0.3), limit=100)
    else:
        folder = Registry(tiny_models).get("champion").path
        queue = PredictionQueue(Predictor(folder, torch.device("cpu")), limit=100)
    texts = [row["content"] * 5 for row in tiny.make_rows(50)]
    await queue.start()
    await queue.predict(texts[0])  # the first call of torch is slower than any after it
    done = asyncio.Event()
    turning = asyncio.create_task(turns_of_the_loop(done))
    started = time.perf_counter()
    answers = await asyncio.gather(*map(queue.predict, texts))
    seconds = time.perf_counter() - started
    done.set()
    await queue.stop()
    turns = await turning
    print(f"{kind}: 50 reviews in {seconds:.2f} s, {len(turns)} turns, longest {max(turns):.4f} s")
    assert len(answers) == 50
    assert max(turns) < LONGEST_HOLD
    assert len(turns) > FEWEST_TURNS or kind == "tiny models"
