"""How much is read of a review, by what waits and by the pace. All time here is invented."""

import asyncio
import random
from collections import Counter, deque

import numpy as np
import pytest

from bot.prediction.pace import BOUND, CHARACTERS_A_TOKEN, SHORTER, Pace
from bot.prediction.queue import PredictionQueue
from tests.bot.predictors import CHARACTERS, Reader

MEDIAN = 434  # tokens of real reviews

BATCH = 16


def measured(seconds_a_token: float) -> Pace:
    pace = Pace()
    pace.note(seconds_a_token * 10_000, 10_000)
    return pace


def characters(*tokens: int) -> list[int]:
    return [round(count * CHARACTERS_A_TOKEN) for count in tokens]


def test_what_is_read_follows_from_what_waits() -> None:
    pace = measured(0.0001)  # 5,000 tokens within the bound
    assert BOUND == 0.5
    assert pace.most_tokens(characters(*[1024] * 4)) is None
    assert pace.most_tokens(characters(*[1024] * 5)) == 512
    assert pace.most_tokens(characters(*[1024] * 10)) == 256
    assert pace.most_tokens(characters(*[1024] * 99)) == 256
    assert pace.most_tokens(characters(*[100] * 40)) is None  # short ones are as many tokens
    assert pace.most_tokens(characters(1024), behind=4) == 512


def test_what_waits_alone_is_read_in_whole() -> None:
    assert measured(1.0).most_tokens(characters(20_000)) is None
    assert measured(1.0).most_tokens(characters(20_000, 20_000)) == 256
    assert Pace().most_tokens(characters(1024, 1024)) is None  # nothing is known yet


def test_the_pace_is_that_of_the_last_reviews() -> None:
    pace = measured(0.0001)
    waiting = characters(*[1024] * 4)
    for _ in range(40):  # a retraining begins
        pace.note(0.0004 * 1000, 1000)
    assert pace.most_tokens(waiting) == 256
    for _ in range(40):
        pace.note(0.0001 * 1000, 1000)
    assert pace.most_tokens(waiting) is None


def answered(rate: float, seconds_a_token: float, seconds: float) -> tuple[list[float], list[int]]:
    """Random reviews at this rate: how long each took, and how many tokens were read of it."""
    chance = random.Random(0)
    pace, now, waiting = Pace(), 0.0, deque[tuple[float, int]]()
    due = chance.expovariate(rate)
    took, read = [], []
    while due < seconds or waiting:
        while due <= now and due < seconds:
            waiting.append((due, min(round(chance.lognormvariate(np.log(MEDIAN), 0.7)), 1024)))
            due += chance.expovariate(rate)
        if not waiting:
            now = due
            continue
        most = pace.most_tokens(characters(*(tokens for _, tokens in waiting)))
        batch = [waiting.popleft() for _ in range(min(BATCH, len(waiting)))]
        tokens = [min(each, most or 1024) for _, each in batch]
        pace.note(seconds_a_token * sum(tokens), sum(tokens))
        now += seconds_a_token * sum(tokens)
        took += [now - came for came, _ in batch]
        read += tokens
    return took, read


def test_a_crowd_is_answered_by_reading_less() -> None:
    """All would be read of 17 a second, 256 tokens of 35."""
    seconds_a_token = 1 / (17 * 520)
    took, read = answered(30, seconds_a_token, 600)
    assert np.percentile(took, 95) < 1.2
    assert max(took) < 2
    assert np.mean(read) > 200
    took, read = answered(8, seconds_a_token, 600)
    assert np.percentile(took, 95) < 0.7
    assert np.mean(np.isin(read, SHORTER)) < 0.2
    assert max(read) == 1024


async def started(seconds_a_token: float) -> tuple[Reader, PredictionQueue]:
    """A reader with a queue before it, which runs."""
    reader = Reader(seconds_a_token)
    queue = PredictionQueue(reader, limit=200, clock=reader.clock)
    await queue.start()
    return reader, queue


@pytest.mark.anyio
async def test_a_burst_is_read_in_short_and_what_comes_alone_in_whole() -> None:
    reader, queue = await started(seconds_a_token=0.0002)
    text = "я" * 1000 * CHARACTERS
    alone = await queue.predict(text)
    assert (alone["cls"].tokens, alone["cls"].in_short) == (1000, False)
    reader.gate.clear()
    first = asyncio.create_task(queue.predict(text))
    while queue.waiting or queue.batch_began is None:
        await asyncio.sleep(0)
    burst = [asyncio.create_task(queue.predict(text, person)) for person in range(40)]
    await asyncio.sleep(0)
    reader.gate.set()
    answers = await asyncio.gather(first, *burst)
    assert Counter(answer["mean"].tokens for answer in answers)[256] >= 32
    assert all(answer["cls"].tokens == answer["mean"].tokens for answer in answers)
    assert reader.batches[-1][2] - reader.batches[1][2] < 40 * 300 * 0.0002
    assert (await queue.predict(text))["cls"].tokens == 1000
    await queue.stop()


@pytest.mark.anyio
async def test_what_is_about_to_come_counts_as_waiting() -> None:
    _, queue = await started(seconds_a_token=0.0002)
    text = "я" * 1000 * CHARACTERS
    await queue.predict(text)
    queue.behind = lambda: 30
    assert (await queue.predict(text))["cls"].tokens == 256
    await queue.stop()


@pytest.mark.anyio
async def test_what_can_wait_is_read_as_it_was_answered() -> None:
    reader, queue = await started(seconds_a_token=0.0)
    asked = [queue.predict_later(["a", "b", "c"], 256), queue.predict_later(["d", "e"])]
    await asyncio.gather(*asked)
    assert [(texts, most) for texts, most, _ in reader.batches] == [
        (["a", "b", "c"], 256),
        (["d", "e"], None),
    ]
    await queue.stop()
