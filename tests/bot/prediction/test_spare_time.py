"""What can wait is read at once in quiet, and in a fifth of the time while reviews come."""

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.prediction.queue import PredictionQueue
from bot.prediction.spare_time import QUIET, SpareTime
from classifier.modeling.pooling import Pooling
from classifier.serving.predictor import Prediction
from tests.bot.predictors import InventedPredictor


def test_in_quiet_nothing_is_waited_for() -> None:
    spare = SpareTime()
    assert (spare.starts_in(5.0), spare.most(5.0)) == (0.0, 4)
    spare.used(5.0, 6.0)
    assert (spare.starts_in(6.0), spare.most(6.0)) == (0.0, 4)


def test_a_review_makes_it_rare_until_it_is_quiet_again() -> None:
    spare = SpareTime()
    spare.review_came(10.0)
    assert (spare.starts_in(10.0), spare.most(10.0)) == (0.0, 1)
    spare.used(10.0, 10.1)
    assert spare.starts_in(10.1) == pytest.approx(0.4)
    assert spare.starts_in(10.5) == pytest.approx(0.0)
    spare.used(10.5, 11.5)
    assert (spare.starts_in(11.5), spare.most(11.5)) == (0.0, 4)


@given(st.lists(st.tuples(st.floats(0.001, 0.9 * QUIET), st.floats(0.001, 5.0)), min_size=20))
def test_while_reviews_come_it_takes_a_fifth_of_the_time(steps: list[tuple[float, float]]) -> None:
    spare, now, used = SpareTime(), 0.0, 0.0
    for until_next_review, reading in steps:
        spare.review_came(now)
        if spare.starts_in(now) == 0.0:
            spare.used(now, now + reading)
            used, now = used + reading, now + reading
        now += until_next_review
    assert used - 5.0 <= 0.2 * now  # the last reading may have its pause before it


class Noting(InventedPredictor):
    def __init__(self) -> None:
        super().__init__()
        self.reviews = 0
        self.later_after: list[int] = []  # the reviews before each text that can wait

    def predict(
        self, texts: list[str], most_tokens: int | None = None
    ) -> list[dict[Pooling, Prediction]]:
        time.sleep(0.02 * len(texts))
        later = [text for text in texts if text.startswith("later")]
        self.later_after += [self.reviews] * len(later)
        self.reviews += len(texts) - len(later)
        return super().predict(texts, most_tokens)


@pytest.mark.anyio
async def test_reviews_that_keep_coming_find_the_models_free() -> None:
    predictor = Noting()
    queue = PredictionQueue(predictor, limit=100)
    await queue.start()
    await queue.predict("review")
    later = asyncio.create_task(queue.predict_later([f"later {number}" for number in range(40)]))
    for number in range(30):
        await queue.predict(f"review {number}")
        await asyncio.sleep(0.02)
    assert len(await later) == 40
    meanwhile = [after for after in predictor.later_after if after < 31]
    assert 1 <= len(meanwhile) <= 30  # a fifth of the time is some 12 of them; all of it all 40
    assert len(predictor.later_after) == 40
    await queue.stop()


@pytest.mark.anyio
async def test_a_queue_that_stops_reads_the_rest_at_once() -> None:
    predictor = Noting()
    queue = PredictionQueue(predictor, limit=100)
    await queue.start()
    await queue.predict("review")
    later = asyncio.create_task(queue.predict_later(["later 1", "later 2", "later 3"]))
    await asyncio.sleep(0)
    await queue.stop()
    assert len(await later) == 3
