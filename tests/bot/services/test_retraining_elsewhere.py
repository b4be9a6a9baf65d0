"""Several processes on one PostgreSQL database: one retrains, and all look and work alike."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from sqlalchemy import text

from bot.prediction.live_models import LiveModels
from bot.services.admin_log import AdminLog
from bot.services.lock import retraining_lock
from bot.services.retraining import NotBegun, Retraining
from bot.services.retraining_turn import RetrainingTurn
from bot.services.training_process import TrainingProcess
from bot.services.versions import VersionService
from classifier.registry.registry import Registry
from db import training_runs
from db.engine import Database, Sessions
from tests.bot.prediction.test_live_models import Numbered, loads_numbered
from tests.bot.services.test_retraining import NOW, child_is_gone, hanging, rate, runs, stand_in

pytestmark = pytest.mark.anyio

NewProcess = Callable[[str], Retraining]
LOSE_IT = """
SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = 3
"""


@pytest.fixture
def url(postgres_url: str) -> str:
    return postgres_url


@pytest.fixture
async def new_process(url: str, registry: Registry) -> AsyncIterator[NewProcess]:
    """`new_process(what)`: its part that retrains, with connections of its own."""
    databases: list[Database] = []

    def make(what: str) -> Retraining:
        database = Database(url)
        databases.append(database)
        live = LiveModels(Numbered(registry.get("champion").name), registry, loads_numbered)
        versions = VersionService(live, AdminLog(database.write, lambda: NOW), database.read)
        return Retraining(
            TrainingProcess(registry.root, stand_in(registry, what)),
            versions,
            database.write,
            database.read,
            lambda: NOW,
            RetrainingTurn(retraining_lock(database, registry.root), database.read),
            3,
        )

    yield make
    for database in databases:
        await database.close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.services.retraining_turn.SECONDS_BETWEEN_LOOKS", 0.1)
    monkeypatch.setattr("bot.services.retraining_turn.SECONDS_TO_RETURN", 1.0)


async def status(read: Sessions) -> str:
    return (await runs(read))[-1].status


async def test_one_retrains_and_any_may_cancel_it(
    new_process: NewProcess, registry: Registry, write: Sessions, read: Sessions, quick: None
) -> None:
    await rate(write, 3)
    one, other = new_process("hang"), new_process("refuse")
    run_id = await one.begin("admin")
    assert isinstance(run_id, int)
    await hanging(registry)
    assert await other.begin("admin") is NotBegun.BUSY
    await other.recover()  # one that starts meanwhile leaves it alone
    assert await status(read) == "running"
    assert not await other.cancel(run_id + 1)
    assert await other.cancel(run_id)
    await one.wait()
    await child_is_gone(registry)
    assert await status(read) == "cancelled"
    assert not (registry.root / ".retraining").exists()
    assert isinstance(await other.begin("admin"), int), "the turn is free"
    await other.wait()
    assert await status(read) == "refused"


async def test_who_loses_the_connection_goes_on(
    new_process: NewProcess, registry: Registry, write: Sessions, read: Sessions, quick: None
) -> None:
    await rate(write, 3)
    one, other = new_process("hang"), new_process("refuse")
    run_id = await one.begin("schedule")
    assert isinstance(run_id, int)
    await hanging(registry)
    async with write.begin() as session:
        assert await session.scalar(text(LOSE_IT))
    beginning = asyncio.create_task(other.begin("admin"))
    await other.recover_others()
    assert await beginning is NotBegun.BUSY
    assert await status(read) == "running"
    assert await other.cancel(run_id)
    await one.wait()


async def test_a_dead_ones_run_is_ended_by_another(
    new_process: NewProcess, registry: Registry, write: Sessions, read: Sessions, quick: None
) -> None:
    await rate(write, 3)
    async with write.begin() as session:
        await training_runs.start(session, "schedule", NOW)
    (registry.root / ".retraining" / "of the dead").mkdir(parents=True)
    await new_process("accept").recover_others()
    (run,) = await runs(read)
    assert (run.status, run.reason) == ("interrupted", "the bot was killed meanwhile")
    assert not (registry.root / ".retraining").exists()


async def test_who_was_taken_for_dead_promotes_nothing(
    new_process: NewProcess, registry: Registry, write: Sessions, read: Sessions, quick: None
) -> None:
    await rate(write, 3)
    champion = registry.get("champion").name
    one = new_process("hang")
    run_id = await one.begin("admin")
    assert isinstance(run_id, int)
    await hanging(registry)
    ending = training_runs.Ending("interrupted", "the bot was killed meanwhile")
    async with write.begin() as session:
        assert await training_runs.finish(session, run_id, ending, NOW)
    async with asyncio.timeout(30):
        await one.wait()
    await child_is_gone(registry)
    (run,) = await runs(read)
    assert run.status == "interrupted"
    assert registry.get("champion").name == champion
