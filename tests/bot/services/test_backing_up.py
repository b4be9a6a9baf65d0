"""The bot backs its database up by itself, shows the newest one's age, and tells of a failure."""

import asyncio
import math
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from bot.local.server import LocalServer
from bot.services.backing_up import BACKUP
from db.engine import Sessions
from tests.bot.conftest import RunningBot
from tests.bot.local_client import Person, chat_client
from tests.bot.ports import free_port
from tests.bot.talking import ANYA, BORIS, all_done

pytestmark = pytest.mark.anyio

YEARLY = "0 3 1 1 *"


@pytest.fixture
async def monitor() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{free_port()}", trust_env=False
    ) as http:
        yield http


async def age(monitor: httpx.AsyncClient) -> float | None:
    told = (await monitor.get("/healthz")).json()["newest_backup_seconds"]
    return None if told is None else float(told)


async def metric(monitor: httpx.AsyncClient) -> float:
    lines = (await monitor.get("/metrics")).text.splitlines()
    (line,) = [line for line in lines if line.startswith("kinorate_backup_age_seconds ")]
    return float(line.split()[1])


async def some_age(monitor: httpx.AsyncClient) -> float:
    async with asyncio.timeout(20):
        while (seconds := await age(monitor)) is None:
            await asyncio.sleep(0.05)
    return seconds


async def test_one_that_was_missed_is_made_at_the_start(
    running_bot: RunningBot, monitor: httpx.AsyncClient, tmp_path: Path
) -> None:
    port = monitor.base_url.port
    async with running_bot(monitoring_port=port):
        assert await age(monitor) is None
        assert math.isnan(await metric(monitor))
    assert not (tmp_path / "backups").exists()
    for _ in range(2):  # the second time it is not due
        async with running_bot(monitoring_port=port, backup_cron=YEARLY):
            assert await some_age(monitor) < 30
            assert 0 <= await metric(monitor) < 30
        assert len(list((tmp_path / "backups").iterdir())) == 1
    (made,) = (tmp_path / "backups").iterdir()
    last_year = datetime.now(UTC) - timedelta(days=366)
    made.rename(made.with_name(f"kinorate-{last_year:%Y%m%dT%H%M%SZ}.db"))
    async with running_bot(monitoring_port=port, backup_cron=YEARLY):
        async with asyncio.timeout(20):
            while (await some_age(monitor)) > 30:
                await asyncio.sleep(0.05)
    assert len(list((tmp_path / "backups").iterdir())) == 1  # the old one is over its age


async def test_they_have_a_number_which_privacy_tells(
    running_bot: RunningBot, telegram: LocalServer, tmp_path: Path
) -> None:
    async with (
        running_bot(backup_cron=YEARLY, backups_kept=3) as bot,
        chat_client(telegram.url) as http,
    ):
        for _ in range(5):
            await bot.parts.services.backing_up.make()
        text = (await Person(http, ANYA).ask("/privacy")).text or ""
    assert len(list((tmp_path / "backups").iterdir())) == 3
    assert "до 30 дней (копий не больше 3)" in text


async def test_the_admins_are_told_of_one_that_fails(
    running_bot: RunningBot, telegram: LocalServer, tmp_path: Path, read: Sessions
) -> None:
    (tmp_path / "backups").write_text("a file, where a folder should be")
    async with chat_client(telegram.url) as http, running_bot(backup_cron=YEARLY) as bot:
        admin = Person(http, BORIS)  # 1002
        await admin.ask("/start")
        await all_done(read)
        bot.parts.schedule.run_now(BACKUP)
        async with asyncio.timeout(20):
            while True:
                said = [message.text or "" for message in await admin.from_bot()]
                if told := [text for text in said if "Копия базы не сделана" in text]:
                    break
                await asyncio.sleep(0.05)
        assert "kinorate.db can't be backed up to" in told[0]
        assert "Ни одной копии пока нет" in told[0]
        assert (await Person(http, ANYA).ask("/start")).text  # it goes on
