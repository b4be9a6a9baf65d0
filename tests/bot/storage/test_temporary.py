"""What /export and /errors write for moments is the user's alone, and gone, after a kill too."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bot.local.server import LOCAL_TOKEN, LocalServer
from bot.storage.temporary import Temporary
from tests import tiny
from tests.bot.conftest import RunningBot
from tests.bot.local_client import Person, chat_client, control
from tests.bot.processes import PATIENCE, bot_process, environment
from tests.bot.talking import ANYA, REVIEW

pytestmark = pytest.mark.anyio
HOLD = """
import sys, time
from pathlib import Path
from bot.storage.temporary import Temporary
with Temporary(Path("temporary")).folder() as folder:
    (folder / "export.json").write_text("private")
    print(folder, flush=True)
    time.sleep(60)
"""


def holder(folder: Path) -> "subprocess.Popen[str]":
    """A process that has a temporary folder, and has said so."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("temporary/")
    return process


def test_what_a_killed_process_left_is_swept_and_nothing_else(tmp_path: Path) -> None:
    temporary = Temporary(tmp_path / "temporary")
    killed, lives = holder(tmp_path), holder(tmp_path)
    try:
        killed.kill()
        killed.wait()
        assert len(list((tmp_path / "temporary").iterdir())) == 2
        with temporary.folder() as own:
            assert temporary.sweep() == 1
            assert len(list((tmp_path / "temporary").iterdir())) == 2
            assert own.stat().st_mode & 0o777 == 0o700
        assert temporary.sweep() == 0
    finally:
        lives.kill()
        lives.wait()
    assert temporary.sweep() == 1
    assert list((tmp_path / "temporary").iterdir()) == []


def test_there_may_be_none(tmp_path: Path) -> None:
    assert Temporary(tmp_path / "temporary").sweep() == 0
    assert list(tmp_path.iterdir()) == []


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    temporary = Temporary(tmp_path / "temporary")

    def fail() -> None:
        with temporary.folder() as folder:
            (folder / "half").write_text("half")
            raise OSError

    with pytest.raises(OSError):  # noqa: PT011
        fail()
    assert list((tmp_path / "temporary").iterdir()) == []


async def test_a_start_sweeps(
    running_bot: RunningBot, telegram: LocalServer, tmp_path: Path
) -> None:
    killed = holder(tmp_path)
    killed.kill()
    killed.wait()
    async with running_bot(), chat_client(telegram.url) as http:
        await Person(http, ANYA).ask("/start")
        assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.slow
async def test_a_kill_in_an_export_leaves_nothing_for_long(
    telegram: LocalServer, tiny_models: Path, tmp_path: Path
) -> None:
    settings = {"telegram_token": LOCAL_TOKEN, "bot_api_url": telegram.url, "models": tiny_models}
    system = tmp_path / "of the system"
    system.mkdir()
    temporary = tmp_path / "data" / "temporary"
    async with chat_client(telegram.url) as http:
        anya = Person(http, ANYA)
        async with bot_process(tmp_path, **settings, tmpdir=system) as process:
            await anya.ask(tiny.make_rows(1)[0]["content"] + REVIEW, PATIENCE)
            await control(http, rate_limit={"next": 1, "retry_after": 30})
            await anya.send("/export")
            async with asyncio.timeout(PATIENCE):
                while not list(temporary.glob("*/*.json")):
                    await asyncio.sleep(0.01)
            process.send_signal(signal.SIGKILL)
            await process.wait()
        (left,) = temporary.iterdir()
        assert left.stat().st_mode & 0o077 == 0
        assert list(system.iterdir()) == []
        async with bot_process(tmp_path, **settings, tmpdir=system):
            async with asyncio.timeout(PATIENCE):
                while left.exists():
                    await asyncio.sleep(0.05)
            assert (await anya.ask("/history", PATIENCE)).text
