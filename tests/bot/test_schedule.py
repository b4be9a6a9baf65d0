"""Jobs run at their times, and trouble with one is told and goes no further."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.schedule import CronTrigger, Schedule
from tests.bot.jobs import run_soon

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
    moment = schedule.next_times("drift")[0]
    assert (moment.hour, moment.minute) == (10, 30)
    assert moment.utcoffset() == timedelta(hours=10)


async def test_the_next_three_times_are_logged(
    schedule: Schedule, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="bot.schedule")
    schedule.add("retraining", "0 4 1 * 1", nothing)
    schedule.start()
    (record,) = caplog.records
    assert record.job == "retraining"  # type: ignore[attr-defined]
    times = [datetime.fromisoformat(each) for each in record.next]  # type: ignore[attr-defined]
    assert times == schedule.next_times("retraining")
    assert len(times) == 3
    assert all(each.hour == 4 and (each.day == 1 or each.weekday() == 0) for each in times)
    assert schedule.next_times("nothing of that name") == []


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
        run_soon(schedule, "failing")
        async with asyncio.timeout(60):
            await runs.get()
            while "a job failed" not in caplog.messages:
                await asyncio.sleep(0.01)
        (record,) = [each for each in caplog.records if each.levelname == "WARNING"]
        assert record.job == "failing"  # type: ignore[attr-defined]
        caplog.clear()
    assert schedule.next_times("failing")[0].month == 1


async def test_a_job_that_still_runs_is_not_begun_again(
    schedule: Schedule, caplog: pytest.LogCaptureFixture
) -> None:
    begun, end = asyncio.Queue[int](), asyncio.Event()

    async def slow() -> None:
        begun.put_nowait(1)
        await end.wait()

    schedule.add("slow", "0 0 1 1 *", slow)
    schedule.start()
    run_soon(schedule, "slow")
    async with asyncio.timeout(60):
        await begun.get()
        run_soon(schedule, "slow")
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
    run_soon(schedule, "endless")
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


def days_of(line: str, zone: ZoneInfo = VLADIVOSTOK, days: int = 7) -> list[date]:
    """The days from Monday the 2nd of March 2026 on which a cron line comes due."""
    monday = datetime(2026, 3, 2, tzinfo=zone)
    times = CronTrigger(line, zone).times_after(monday - timedelta(seconds=1))
    end = monday.date() + timedelta(days=days)
    return list(takewhile(lambda day: day < end, (moment.date() for moment in times)))


@pytest.mark.parametrize(
    ("weekdays", "days"),
    [
        ("0", {6}),
        ("7", {6}),
        ("1-5", {0, 1, 2, 3, 4}),
        ("mon,sat", {0, 5}),
        ("*/2", {1, 3, 5, 6}),
        ("*/3", {2, 5, 6}),
        ("0-6", set(range(7))),
        ("1-7", set(range(7))),
        ("Fri-Sun", {4, 5, 6}),
        ("5-7", {4, 5, 6}),
        ("1-5/2", {0, 2, 4}),
    ],
)
def test_weekdays_are_numbered_as_in_cron(weekdays: str, days: set[int]) -> None:
    found = days_of(f"0 4 * * {weekdays}")
    assert {day.weekday() for day in found} == days
    assert len(found) == len(days)


FIELD = {"day": (1, 31), "month": (1, 12), "weekday": (0, 7)}


@st.composite
def field(draw: st.DrawFn, name: str) -> tuple[str, set[int] | None]:
    """A field of a cron line, and the numbers that it stands for; None for all."""
    least, most = FIELD[name]
    low = draw(st.integers(least, most))
    high = draw(st.integers(low, most))
    step = draw(st.integers(1, 4))
    return draw(
        st.sampled_from(
            [
                ("*", None),
                (f"*/{step}", set(range(least, most + 1, step))),
                (str(low), {low}),
                (f"{low}-{high}", set(range(low, high + 1))),
                (f"{low}-{high}/{step}", set(range(low, high + 1, step))),
                (f"{low},{high}", {low, high}),
            ]
        )
    )


@given(day=field("day"), month=field("month"), weekday=field("weekday"))
@example(day=("1", {1}), month=("*", None), weekday=("1", {1}))
def test_days_are_those_of_crontab_5(
    day: tuple[str, set[int] | None],
    month: tuple[str, set[int] | None],
    weekday: tuple[str, set[int] | None],
) -> None:
    """Either day is enough where both are given, which a star at the beginning is not."""
    line = f"0 4 {day[0]} {month[0]} {weekday[0]}"
    both = not (day[0].startswith("*") or weekday[0].startswith("*"))

    def is_due(moment: date) -> bool:
        right_day = day[1] is None or moment.day in day[1]
        cron_number = moment.isoweekday()  # Monday 1 to Sunday 7, which cron calls 0 too
        right_weekday = weekday[1] is None or bool({cron_number, cron_number % 7} & weekday[1])
        right = right_day or right_weekday if both else right_day and right_weekday
        return right and (month[1] is None or moment.month in month[1])

    monday = date(2026, 3, 2)
    expected = [
        moment for moment in (monday + timedelta(days=n) for n in range(130)) if is_due(moment)
    ]
    try:
        found = days_of(line, ZoneInfo("UTC"), days=130)
    except ValueError:  # the 31st of a month of 30 days
        assert not expected
    else:
        assert found == expected


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
@pytest.mark.parametrize("time", ["0 0", "15 1", "0 2", "15 2", "30 2", "0 3", "59 1"])
def test_clocks_that_change_leave_one_run_a_night(zone: str, time: str) -> None:
    days = days_of(f"{time} * * *", ZoneInfo(zone), days=365)
    assert days == [date(2026, 3, 2) + timedelta(days=number) for number in range(365)]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "* * *",
        "61 * * * *",
        "every day",
        "0 4 * * 8",
        "0 4 * * 5-1",
        "0 0 30 2 *",
        "1 2 3 4 5 6",
    ],
)
def test_what_is_no_cron_line(line: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        CronTrigger(line, VLADIVOSTOK)
