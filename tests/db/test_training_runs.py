"""One retraining runs at a time, and each ends once."""

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from db import admin_actions, training_runs, users
from db.engine import Sessions
from db.models import AdminAction, TrainingRun
from db.training_runs import Ending

pytestmark = pytest.mark.anyio


async def test_a_run_from_start_to_end(write: Sessions, now: datetime) -> None:
    later = now + timedelta(hours=1)
    async with write.begin() as session:
        run_id = await training_runs.start(session, "admin", now)
        assert run_id is not None
    async with write.begin() as session:
        assert await training_runs.finish(
            session,
            run_id,
            Ending("promoted", version="v2", figures={"cls": {"accuracy": 0.9}}),
            later,
        )
    async with write() as session:
        run = await training_runs.newest(session)
    assert run is not None
    assert (run.id, run.trigger, run.status, run.version) == (run_id, "admin", "promoted", "v2")
    assert (run.started_at, run.finished_at, run.reason) == (now, later, None)
    assert run.figures == {"cls": {"accuracy": 0.9}}


async def test_of_all_who_start_at_once_one_runs(write: Sessions, now: datetime) -> None:
    async def start() -> int | None:
        async with write.begin() as session:
            return await training_runs.start(session, "schedule", now)

    started = await asyncio.gather(*(start() for _ in range(5)))
    (run_id,) = [run_id for run_id in started if run_id is not None]
    async with write.begin() as session:
        await training_runs.finish(session, run_id, Ending("failed", "no memory"), now)
    assert await start() is not None


async def test_whoever_ends_a_run_first_is_right(write: Sessions, now: datetime) -> None:
    async with write.begin() as session:
        run_id = await training_runs.start(session, "schedule", now)
        assert run_id is not None
        assert await training_runs.finish(session, run_id, Ending("interrupted", "restart"), now)
        assert not await training_runs.finish(
            session, run_id, Ending("promoted", version="v2"), now
        )
        assert not await training_runs.finish(session, run_id + 1, Ending("failed"), now)
    async with write() as session:
        run = await session.get_one(TrainingRun, run_id)
    assert (run.status, run.reason, run.version) == ("interrupted", "restart", None)


async def test_the_newest_run_is_that_of_the_statuses_asked_for(
    write: Sessions, now: datetime
) -> None:
    async with write.begin() as session:
        assert await training_runs.newest(session) is None
        run_id = await training_runs.start(session, "schedule", now)
        await training_runs.skip(session, "schedule", "12 new ratings, 50 needed", now)
        running = await training_runs.newest(session, "running", "failed")
        skipped = await training_runs.newest(session)
    assert running is not None
    assert (running.id, running.status) == (run_id, "running")
    assert skipped is not None
    assert (skipped.status, skipped.reason) == ("skipped", "12 new ratings, 50 needed")


async def test_an_admins_action_says_who_what_and_when(write: Sessions, now: datetime) -> None:
    async with write.begin() as session:
        await users.seen(session, 2**40, "ru", now)
        await admin_actions.add(session, 2**40, "promote", now, {"version": "v2"})
    async with write() as session:
        (action,) = await session.scalars(select(AdminAction))
    assert (action.admin_id, action.action, action.created_at) == (2**40, "promote", now)
    assert action.details == {"version": "v2"}


async def test_the_latest_action_is_the_newest_of_its_kinds(write: Sessions, now: datetime) -> None:
    async with write.begin() as session:
        assert await admin_actions.latest(session, ["drift", "drift over"]) is None
        for action in ("drift", "drift over", "export"):
            await admin_actions.add(session, None, action, now)
        latest = await admin_actions.latest(session, ["drift", "drift over"])
    assert latest is not None
    assert (latest.action, latest.admin_id) == ("drift over", None)


async def test_runs_are_counted_by_status(write: Sessions, now: datetime) -> None:
    async with write.begin() as session:
        assert await training_runs.counts(session) == {}
        for _ in range(2):
            await training_runs.skip(session, "schedule", "too few", now)
        await training_runs.start(session, "admin", now)
        assert await training_runs.counts(session) == {"skipped": 2, "running": 1}
