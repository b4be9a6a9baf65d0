"""Nobody's updates take more than a share of the places, and people take turns."""

import asyncio
from collections import Counter
from random import Random

import pytest

from bot.delivery.shares import Shares

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("seed", range(20))
async def test_whoever_comes_gets_a_place_in_turn(seed: int) -> None:
    """Many arrive, some give up while they wait or while they have a place."""
    random = Random(seed)
    places, each = random.randint(1, 6), random.randint(1, 4)
    shares = Shares(places, each)
    inside: Counter[int] = Counter()
    order: dict[int, list[int]] = {}

    async def stay(person: int, number: int) -> None:
        async with shares.place(person):
            order.setdefault(person, []).append(number)
            inside[person] += 1
            try:
                assert inside.total() <= places
                assert inside[person] <= each
                await asyncio.sleep(random.random() / 200)
            finally:
                inside[person] -= 1

    tasks = []
    for number in range(60):
        tasks.append(asyncio.create_task(stay(random.choice([1, 1, 1, 2, 3]), number)))
        if random.random() < 0.2:
            random.choice(tasks).cancel()
        if random.random() < 0.3:
            await asyncio.sleep(random.random() / 200)
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert not [error for error in ended if error and not isinstance(error, asyncio.CancelledError)]
    assert all(numbers == sorted(numbers) for numbers in order.values())
    async with asyncio.timeout(1):
        await asyncio.gather(*(stay(person, 100) for person in range(places)))  # all are free again


async def test_one_is_not_behind_another_persons_thousand() -> None:
    shares = Shares(2, 1)
    order = []

    async def stay(person: int) -> None:
        async with shares.place(person):
            order.append(person)
            await asyncio.sleep(0)

    await asyncio.gather(*(stay(1) for _ in range(1000)), stay(2), stay(3))
    assert {2, 3} < set(order[:4])
