"""Where there is no champion yet the bot trains one first, if it is told to."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest

from bot.errors import BotError
from bot.first_training import champion_of
from bot.monitoring.startup import Startup
from classifier.registry.registry import Registry
from tests import tiny
from tests.bot.local_client import Person, chat_client
from tests.bot.ports import free_port
from tests.bot.processes import bot_process

pytestmark = pytest.mark.anyio

SECONDS_OF_TRAINING = 300.0
TRAINING = """
import json, os, shutil, signal, sys, time
from pathlib import Path
what, trained, *options = sys.argv[1:]
given = dict(zip(options[:4:2], options[1:4:2]))
models = Path(given["--models"])
with (models / "started").open("a") as starts:
    print(json.dumps([options[4:], "TELEGRAM_TOKEN" in os.environ]), file=starts)
print("Reviews: invented", flush=True)
if what == "fail":
    sys.exit("Error: No encoder.")
if what == "hang":
    signal.signal(signal.SIGTERM, lambda *_: (models / "ended").touch() or sys.exit(130))
    (models / "pid").write_text(str(os.getpid()))
    time.sleep(600)
shutil.copytree(trained, models, dirs_exist_ok=True)
"""
"""Stands in for `python -m classifier train`: trains nothing, or fails, or hangs."""


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def train_by(monkeypatch: pytest.MonkeyPatch, tiny_models: Path) -> Callable[[str], None]:
    """`train_by("succeed")`, "fail" or "hang": what the training does."""

    def set_command(what: str) -> None:
        command = (sys.executable, "-c", TRAINING, what, str(tiny_models))
        monkeypatch.setattr("bot.first_training.COMMAND", command)

    monkeypatch.setenv("TELEGRAM_TOKEN", "123456:secret")
    return set_command


def starts(models: Path) -> list[list[object]]:
    return [json.loads(line) for line in (models / "started").read_text().splitlines()]


async def appears(file: Path) -> None:
    async with asyncio.timeout(60):
        while not file.exists():
            await asyncio.sleep(0.02)


async def test_without_a_champion_it_is_trained_and_said(
    models: Path, train_by: Callable[[str], None]
) -> None:
    train_by("succeed")
    startup, said = Startup(), list[str]()
    champion = await champion_of(models, 3, startup, said.append)
    assert champion.name == getattr(Registry(models).champion(), "name", None)
    assert said[0].startswith(f"There are no trained models in {models} yet: they are trained")
    assert "about 3 min" in said[0]
    assert "Reviews: invented" in said
    assert starts(models) == [[["--resume"], False]]  # no secret in its environment
    assert startup.phase == "starting"
    again = await champion_of(models, 3, startup, said.append)
    assert again.name == champion.name
    assert len(starts(models)) == 1


async def test_of_two_processes_one_trains_and_the_other_waits(
    models: Path, train_by: Callable[[str], None]
) -> None:
    train_by("succeed")
    said = list[str]()
    both = (champion_of(models, 1, Startup(), said.append) for _ in range(2))
    first, second = await asyncio.gather(*both)
    assert first.name == second.name
    assert len(starts(models)) == 1
    assert sum("waiting for the process that trains" in line for line in said) == 1


async def test_a_training_that_fails_is_told_in_its_own_words(
    models: Path, train_by: Callable[[str], None]
) -> None:
    train_by("fail")
    with pytest.raises(BotError) as caught:
        await champion_of(models, 1, Startup(), lambda _: None)
    assert str(caught.value) == "The first training failed (exit status 1): Error: No encoder."


async def test_a_stop_ends_the_training_in_order(
    models: Path, train_by: Callable[[str], None]
) -> None:
    train_by("hang")
    startup = Startup()
    training = asyncio.create_task(champion_of(models, 1, startup, lambda _: None))
    await appears(models / "pid")
    assert startup.phase == "training"
    training.cancel()
    with suppress(asyncio.CancelledError):
        await training
    assert (models / "ended").exists()
    with pytest.raises(ProcessLookupError):
        os.kill(int((models / "pid").read_text()), 0)


async def test_a_folder_that_can_not_be_written_to_is_told(
    tmp_path: Path, train_by: Callable[[str], None]
) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "gone" / "far")
    with pytest.raises(
        BotError, match=r"^The folder .* \(MODELS\) can't be written to: File exists"
    ):
        await champion_of(tmp_path / "link", 1, Startup(), lambda _: None)


@asynccontextmanager
async def asked(port: int) -> AsyncIterator[Callable[[], "asyncio.Future[dict[str, object]]"]]:
    """`await ask()`: what /healthz tells, once something listens there."""
    async with httpx.AsyncClient(trust_env=False, timeout=60) as http:

        async def ask() -> dict[str, object]:
            async with asyncio.timeout(60):
                while True:
                    with suppress(httpx.TransportError):
                        response = await http.get(f"http://127.0.0.1:{port}/healthz")
                        told: dict[str, object] = response.json()
                        assert (response.status_code == 200) is (told["status"] == "ok")
                        return told
                    await asyncio.sleep(0.05)

        yield lambda: asyncio.ensure_future(ask())


@pytest.mark.slow
async def test_a_bot_without_models_trains_starts_and_answers(tmp_path: Path) -> None:
    """Interrupted in the middle, it goes on at the next start; the health tells the phase."""
    port = free_port()
    settings = {
        "first_training_minutes": 1,
        "monitoring_port": port,
        "local_port": 0,
        "hf_hub_offline": 1,
        "xdg_cache_home": tmp_path / "cache",
        "log_format": "text",
    }
    async with asked(port) as ask, bot_process(tmp_path, **settings) as process:
        assert process.stdout is not None
        assert b"they are trained first" in await process.stdout.readline()
        assert (await ask())["status"] == "training"
        assert b"Reviews: " in await process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(12):
            assert await process.wait() == 0
        assert b"goes on after the last whole epoch" in await process.stdout.read()
    assert "stopped before it was ready" in (tmp_path / "bot.log").read_text("utf-8")
    async with asked(port) as ask, bot_process(tmp_path, **settings) as process:
        assert process.stdout is not None
        async with asyncio.timeout(SECONDS_OF_TRAINING):
            while not (line := (await process.stdout.readline()).decode()).startswith("The chat"):
                assert line, "the bot has ended"
        url = next(word for word in line.split() if word.startswith("http://127.0.0.1:"))
        async with chat_client(url) as http:
            await Person(http, 1001).ask(tiny.make_rows(1)[0]["content"], 60)
        assert (await ask())["status"] == "ok"
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(12):
            assert await process.wait() == 0
    assert Registry(tmp_path / "models").champion() is not None
