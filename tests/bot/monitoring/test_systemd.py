"""systemd is told when the bot is ready, that it lives, how it is, and that it stops."""

import asyncio
import signal
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from bot.local.server import LOCAL_TOKEN, LocalServer
from tests import tiny
from tests.bot.conftest import RunningBot
from tests.bot.local_client import Person, chat_client
from tests.bot.predictors import InventedPredictor
from tests.bot.processes import PATIENCE, bot_process
from tests.bot.talking import ANYA, REVIEW

pytestmark = pytest.mark.anyio


class Supervisor:
    """Listens as systemd does."""

    def __init__(self, place: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(place))
        self.socket.setblocking(False)

    async def next(self, seconds: float = PATIENCE) -> list[str]:
        """The states of the next message."""
        async with asyncio.timeout(seconds):
            message = await asyncio.get_running_loop().sock_recv(self.socket, 4096)
        return message.decode().splitlines()

    async def until(self, state: str, seconds: float = PATIENCE) -> list[str]:
        while state not in (states := await self.next(seconds)):
            pass
        return states


@pytest.fixture
async def supervisor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Supervisor]:
    place = tmp_path / "notify"
    found = Supervisor(place)
    monkeypatch.setenv("NOTIFY_SOCKET", str(place))
    monkeypatch.setenv("WATCHDOG_USEC", "300000")
    yield found
    found.socket.close()


async def test_the_life_of_a_bot(
    running_bot: RunningBot, telegram: LocalServer, supervisor: Supervisor
) -> None:
    async with running_bot():
        assert await supervisor.next() == ["READY=1"]
        for _ in range(3):
            told = await supervisor.next()
            assert told[0].startswith("STATUS=")
            assert told[1:] == ["WATCHDOG=1"]
        await supervisor.until("STATUS=answers by invented")
    await supervisor.until("STOPPING=1")


async def test_the_trouble_of_others_is_no_reason_to_start_again(
    running_bot: RunningBot, telegram: LocalServer, supervisor: Supervisor
) -> None:
    async with running_bot() as bot:
        await supervisor.until("READY=1")
        bot.parts.pulse.last_good = time.monotonic() - 1000
        bot.parts.pulse.trouble = "NetworkError"
        told = ["STATUS=answers by invented"]
        while "No valid answer of Telegram since" not in told[0]:
            told = await supervisor.next()
        assert "WATCHDOG=1" in told


async def test_silence_while_the_database_is_away_is_no_reason_either(
    running_bot: RunningBot, telegram: LocalServer, supervisor: Supervisor
) -> None:
    """Nothing is asked of Telegram then: it could not be stored."""

    def away() -> AsyncSession:
        raise OSError

    async with running_bot() as bot:
        await supervisor.until("READY=1")
        bot.parts.checkup.read = away  # type: ignore[assignment]
        told = [""]
        while "The database does not answer" not in told[0] or "No valid answer" not in told[0]:
            bot.parts.pulse.last_good = time.monotonic() - 1000
            told = await supervisor.next()
        assert "WATCHDOG=1" in told


async def test_models_that_hang_are_not_called_alive(
    running_bot: RunningBot,
    telegram: LocalServer,
    supervisor: Supervisor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.monitoring.health.STUCK", 0.5)
    predictor = InventedPredictor()
    predictor.gate.clear()
    async with running_bot(predictor), chat_client(telegram.url) as http:
        await supervisor.until("READY=1")
        await Person(http, ANYA).send(REVIEW)
        told = [""]
        while "predicting one batch for" not in told[0]:
            told = await supervisor.next()
        assert "WATCHDOG=1" not in told
        predictor.gate.set()
        await supervisor.until("WATCHDOG=1")


@pytest.mark.slow
async def test_a_process_whose_event_loop_is_blocked_says_nothing(
    telegram: LocalServer, tiny_models: Path, url: str, tmp_path: Path
) -> None:
    supervisor = Supervisor(tmp_path / "notify")
    settings = {
        "telegram_token": LOCAL_TOKEN,
        "bot_api_url": telegram.url,
        "database_url": url,
        "models": tiny_models,
        "notify_socket": tmp_path / "notify",
        "watchdog_usec": 600_000,
    }
    async with chat_client(telegram.url) as http, bot_process(tmp_path, **settings) as process:
        await supervisor.until("READY=1")
        await Person(http, ANYA).ask(tiny.make_rows(1)[0]["content"], PATIENCE)
        await supervisor.until("WATCHDOG=1")
        process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(0.5)
        with pytest.raises(TimeoutError):
            await supervisor.until("never said", seconds=1.5)  # past what was said before
        process.send_signal(signal.SIGCONT)
        await supervisor.until("WATCHDOG=1")
        process.terminate()
        await supervisor.until("STOPPING=1")
        assert await process.wait() == 0
    supervisor.socket.close()
