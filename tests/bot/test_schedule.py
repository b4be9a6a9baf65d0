"""Jobs run at their times, and trouble with one is told and goes no further."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.schedule import Schedule, cron_trigger

pytestmark = pytest.mark.anyio

VLADIVOSTOK = ZoneInfo("Asia/Vladivostok")


@pytest.fixture
async def schedule() -> AsyncIterator[Schedule]:
    schedule = Schedule(VLADIVOSTOK)
    yield schedule
    schedule.stop()


async def nothing() -> None:
    pass


async def test_the_times_are_those_of_the_zone(schedule: Schedule) -> None:
    schedule.add("drift", "30 10 * * *", nothing)
    schedule.start()
    moment = schedule.next_time("drift")
    assert (moment.hour, moment.minute) == (10, 30)
    assert moment.utcoffset() == timedelta(hours=10)


async def test_a_job_that_fails_is_told_and_runs_again(
    schedule: Schedule, caplog: pytest.LogCaptureFixture
) -> None:
    runs = asyncio.Queue[int]()

    async def fail() -> None:
        runs.put_nowait(1)
        raise ValueError("no such thing")

    schedule.add("failing", "0 0 1 1 *", fail)
    schedule.start()
    for _ in range(2):
        schedule.run_soon("failing")
        async with asyncio.timeout(60):
            await runs.get()
            while "a job failed" not in caplog.messages:
                await asyncio.sleep(0.01)
        (record,) = [each for each in caplog.records if each.name == "bot.schedule"]
        assert record.job == "failing"  # type: ignore[attr-defined]
        caplog.clear()
    assert schedule.next_time("failing").month == 1


async def test_a_job_that_still_runs_is_not_begun_again(
    schedule: Schedule, caplog: pytest.LogCaptureFixture
) -> None:
    begun, end = asyncio.Queue[int](), asyncio.Event()

    async def slow() -> None:
        begun.put_nowait(1)
        await end.wait()

    schedule.add("slow", "0 0 1 1 *", slow)
    schedule.start()
    schedule.run_soon("slow")
    async with asyncio.timeout(60):
        await begun.get()
        schedule.run_soon("slow")
        while "a job was due while it ran" not in caplog.messages:
            await asyncio.sleep(0.01)
    assert begun.empty()
    end.set()


async def test_a_stop_cancels_what_runs(schedule: Schedule) -> None:
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def endless() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    schedule.add("endless", "0 0 1 1 *", endless)
    schedule.start()
    schedule.run_soon("endless")
    async with asyncio.timeout(60):
        await begun.wait()
        schedule.stop()
        await cancelled.wait()


async def test_what_came_due_while_nobody_looked(schedule: Schedule) -> None:
    monday_at_four = datetime(2026, 3, 2, 4, tzinfo=VLADIVOSTOK)
    hour = timedelta(hours=1)
    line = "0 4 * * 1"
    assert schedule.was_missed(line, monday_at_four - hour, monday_at_four)
    assert not schedule.was_missed(line, monday_at_four - 2 * hour, monday_at_four - hour)
    assert not schedule.was_missed(line, monday_at_four, monday_at_four + 100 * hour)
    assert schedule.was_missed(line, monday_at_four, monday_at_four + 168 * hour)


@pytest.mark.parametrize(
    ("weekdays", "days"),
    [("0", {6}), ("7", {6}), ("1-5", {0, 1, 2, 3, 4}), ("mon,sat", {0, 5}), ("*/3", {0, 3, 6})],
)
def test_weekdays_are_numbered_as_in_cron(weekdays: str, days: set[int]) -> None:
    trigger, found = cron_trigger(f"0 4 * * {weekdays}", VLADIVOSTOK), set()
    moment = datetime(2026, 3, 2, tzinfo=VLADIVOSTOK)
    for _ in range(7):
        moment = trigger.get_next_fire_time(moment, moment + timedelta(seconds=1))
        found.add(moment.weekday())
    assert found == days


@pytest.mark.parametrize("line", ["", "* * *", "61 * * * *", "every day"])
def test_what_is_no_cron_line(line: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        cron_trigger(line, VLADIVOSTOK)
