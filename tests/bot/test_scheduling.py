"""Of several processes one does what is scheduled; when it stops or dies, another goes on."""

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from bot.schedule import Schedule
from bot.scheduling import Scheduling
from bot.services.services import Services
from tests.bot.jobs import run_soon

pytestmark = pytest.mark.anyio

NEVER = "0 0 1 1 *"


class Right:
    """The lock in PostgreSQL of all processes; away, nobody can ask."""

    def __init__(self) -> None:
        self.owner: object = None
        self.is_away = False


class Lock:
    can_be_lost = True

    def __init__(self, right: Right) -> None:
        self._right = right

    async def take(self) -> bool:
        if self._right.is_away:
            raise OSError("the server restarts")
        self._right.owner = self._right.owner or self
        return self._right.owner is self

    async def release(self) -> None:
        if self._right.owner is self:
            self._right.owner = None


class Process:
    """The scheduling part of one, with a job that says who did it."""

    def __init__(self, right: Right, name: str, done: list[str], cron: str = NEVER) -> None:
        async def work() -> None:
            done.append(name)

        async def nothing(*_: Any) -> None:
            pass

        self.lock = Lock(right)
        self.schedule = Schedule(ZoneInfo("UTC"))
        self.schedule.add("job", cron, work)
        retraining = SimpleNamespace(recover=nothing, recover_others=nothing, catch_up=nothing)
        services = SimpleNamespace(
            retraining=retraining, retention=SimpleNamespace(enforce=nothing)
        )
        self.scheduling = Scheduling(self.lock, self.schedule, cast(Services, services), cron)
        self.scheduling.start()

    async def due(self) -> None:
        run_soon(self.schedule, "job")
        await asyncio.sleep(0.1)

    async def until_it_schedules(self) -> None:
        async with asyncio.timeout(10):
            while not self.scheduling.is_ours:
                await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.scheduling.SECONDS_BETWEEN_LOOKS", 0.02)


async def test_one_does_it_and_a_stopped_one_is_replaced() -> None:
    right, done = Right(), list[str]()
    first = Process(right, "first", done)
    await first.until_it_schedules()
    second = Process(right, "second", done)
    await second.due()
    await first.due()
    assert second.schedule.next_times("job"), "/models tells them from each"
    assert done == ["first"]
    await first.scheduling.stop()
    await second.until_it_schedules()
    await second.due()
    assert done == ["first", "second"]
    await second.scheduling.stop()
    assert right.owner is None


async def test_while_nobody_can_know_whose_turn_it_is_nobody_does_it() -> None:
    right, done = Right(), list[str]()
    one = Process(right, "one", done)
    await one.until_it_schedules()
    right.is_away, right.owner = True, None
    async with asyncio.timeout(10):
        while one.scheduling.is_ours:
            await asyncio.sleep(0.01)
    await one.due()
    assert done == []
    right.is_away = False
    await one.until_it_schedules()
    await one.due()
    assert done == ["one"]
    await one.scheduling.stop()


async def test_what_came_due_between_two_is_done_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first dies just before a minute begins, and the second finds out just after."""
    right, done = Right(), list[str]()
    now = datetime(2026, 3, 2, 9, 59, 59, tzinfo=UTC)
    started: list[datetime] = []
    monkeypatch.setattr(Schedule, "start", lambda _, since: started.append(since))

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return now

    monkeypatch.setattr("bot.scheduling.datetime", Clock)
    first = Process(right, "first", done)
    await first.until_it_schedules()
    second = Process(right, "second", done)
    await asyncio.sleep(0.1)
    right.is_away, right.owner = True, None
    await asyncio.sleep(0.1)
    now = datetime(2026, 3, 2, 10, 0, 2, tzinfo=UTC)
    await asyncio.sleep(0.1)
    right.is_away, right.owner = False, second.lock
    await second.until_it_schedules()
    assert started[-1] == datetime(2026, 3, 2, 9, 59, 59, tzinfo=UTC)
    await second.scheduling.stop()
    await first.scheduling.stop()
