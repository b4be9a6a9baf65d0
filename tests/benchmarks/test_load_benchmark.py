"""`python -m benchmarks load`: what the bot holds, as people outside see it."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from benchmarks.load import CLOSE_ENOUGH, FIRST_RATE, HIGHEST_RATE, arms_of, search
from benchmarks.outside import PEOPLE, Outside, Told
from benchmarks.tables import table_of
from bot.local.people import BOT, USERS
from classifier.errors import ClassifierError
from tests.benchmarks.conftest import Benchmark

pytestmark = pytest.mark.anyio

RUN = ("--rate", "4", "--seconds", "3", "--bound", "30")


@pytest.mark.slow
def test_one_process_needs_no_postgres(benchmark: Benchmark, few: Path) -> None:
    options = ("--reasons", "--no-models", "--models", f"{few}/models")
    document = benchmark("load", *RUN, *options)
    arm, explained, updates = document["arms"].values()
    (beside,) = explained["runs"]
    assert beside["answered"] == beside["sent"]
    assert beside["explained"] == beside["asked_why"] == beside["answered"] // 3 > 0
    (run,) = arm["runs"]
    assert sum(run["levels"].values()) == pytest.approx(1)
    assert run["median_tokens"] > 3
    assert run["in_short"] == 1 - run["levels"]["whole"]
    assert run["cpu_ms"] > 0
    assert "statements" not in run
    (alone,) = updates["runs"]
    assert alone["answered"] == alone["sent"]
    assert 5 < alone["statements"] < 30
    assert alone["median_tokens"] == 0
    assert "SQLite" in arm["about"]
    assert run["answered"] == run["sent"] > 3
    assert 0 < run["p50_ms"] <= run["p95_ms"]
    assert run["longest_queue"] >= 1
    assert run["turned_away"] == 0
    assert run["processes"][0]["peak_mb"] >= run["processes"][0]["resident_mb"] > 50
    more = {"held": True, "retraining_to_alone": None}
    assert document["summary"]["arms"]["1 process"] == run | more


@pytest.mark.slow
def test_two_processes_beside_a_retraining(
    benchmark: Benchmark, few: Path, postgres: object
) -> None:
    options = ("--models", f"{few}/models", "--processes", "2", "--retraining")
    document = benchmark("load", *RUN, *options)
    assert list(document["arms"]) == ["2 processes", "2 processes, retraining"]
    for arm in document["arms"].values():
        (run,) = arm["runs"]
        assert "PostgreSQL" in arm["about"]
        assert run["answered"] == run["sent"]
        assert len(run["processes"]) == 2
    assert ("retraining_ended" in run) is not run["still_retraining"]


@pytest.mark.slow
def test_a_whole_retraining_beside_an_idle_bot_and_a_busy_one(
    benchmark: Benchmark, few: Path
) -> None:
    options = ("--models", f"{few}/models", "--whole-retraining")
    document = benchmark("load", *RUN, *options, kind="retraining")
    alone, beside = document["summary"]["arms"].values()
    assert alone["rate"] == 0
    assert "sent" not in alone
    assert beside["answered"] == beside["sent"] > 3
    assert not beside["still_retraining"]
    took = beside["retraining_seconds"] / alone["retraining_seconds"]
    assert beside["retraining_to_alone"] == pytest.approx(took)
    table = table_of(document).markdown()
    assert "at 4.0 reviews a second" in table
    assert table.count("| – ") == 7, "an idle bot has no rate, and nothing of answers"


def test_a_whole_retraining_takes_a_rate(benchmark: Benchmark) -> None:
    with pytest.raises(ClassifierError, match="takes a --rate"):
        benchmark("load", "--whole-retraining")


@pytest.mark.parametrize("other", ["--reasons", "--no-models"])
def test_a_whole_retraining_goes_alone(benchmark: Benchmark, other: str) -> None:
    with pytest.raises(ClassifierError, match="goes with neither"):
        benchmark("load", "--whole-retraining", "--rate", "5", other)


@pytest.mark.parametrize("capacity", [0.1, 0.9, 7.3, 30.0, 1000.0])
async def test_the_highest_rate_is_found(capacity: float) -> None:
    asked: list[float] = []

    async def is_held(rate: float) -> bool:
        asked.append(rate)
        return rate <= capacity

    await search(is_held)
    found = max((rate for rate in asked if rate <= capacity), default=0.0)
    assert len(asked) <= 10
    if capacity < FIRST_RATE / 8:
        assert not found
    else:
        assert found >= min(capacity, HIGHEST_RATE) / CLOSE_ENOUGH
        assert max(asked) <= HIGHEST_RATE


def test_arms_are_named_by_what_is_measured() -> None:
    assert arms_of([1, 3], retraining=True, no_models=False) == [
        "1 process",
        "1 process, retraining",
        "3 processes",
        "3 processes, retraining",
    ]
    alone_first = ["1 process, retraining alone", "1 process, retraining"]
    assert arms_of([1], retraining=False, whole=True) == alone_first
    assert arms_of([1], retraining=True, whole=True) == alone_first, "each arm once"
    assert arms_of([1], retraining=False, reasons=True) == ["1 process", "1 process, reasons"]
    assert arms_of([1], retraining=False, no_models=True) == ["1 process", "1 process, no models"]


def test_a_review_without_an_answer_takes_for_ever() -> None:
    told = Told(dict.fromkeys(range(20), 0.0), dict.fromkeys(range(19), 0.1))
    figures = told.figures()
    assert figures["p50_ms"] == pytest.approx(100)
    assert figures["p95_ms"] == pytest.approx(100)
    del told.answered[0]
    assert told.figures()["p95_ms"] is None
    assert told.waiting == 2


def test_a_time_in_which_no_review_was_sent_is_told() -> None:
    with pytest.raises(ClassifierError, match="more --seconds"):
        Told().figures()


async def test_reviews_come_at_random_and_are_timed_from_when_they_were_due() -> None:
    outside = Outside(["Хорошо, но долго.", "Скучно."])

    async def bot() -> None:
        """Answers at once, but turns the first one away."""
        is_first = True
        while True:
            for update in outside.state.updates.waiting:
                message = update["message"]
                content: dict[str, object] = {"text": "…"} | (
                    {} if is_first else {"reply_markup": {}}
                )
                outside.state.post(message["chat"]["id"], BOT, content, message)
                is_first = False
            outside.state.updates.waiting = []
            await asyncio.sleep(0.001)

    answering = asyncio.create_task(bot())
    await outside.start()
    told = await outside.load(rate=100, seconds=2, patience=1)
    answering.cancel()
    await outside.stop()
    assert 130 < len(told.sent) < 270  # 200, give or take five standard deviations
    assert (len(told.answered), len(told.turned_away)) == (len(told.sent) - 1, 1)
    gaps = np.diff(sorted(told.sent.values()))
    assert 0.5 < gaps.std() / gaps.mean() < 1.5  # 1 where they are independent of each other
    assert told.figures()["p50_ms"] is not None
    assert not set(PEOPLE) & set(USERS), "the people have left"
