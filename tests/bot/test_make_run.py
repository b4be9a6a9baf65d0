"""`make run` where there is no champion: the chat page first, then the training, then answers."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.local.people import USERS
from classifier.registry.registry import Registry
from tests import tiny
from tests.bot.local_client import Person, chat_client
from tests.bot.processes import ROOT, environment, killed_at_end
from tests.bot.talking import ANYA, BORIS

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

SECONDS_OF_TRAINING = 600.0  # at most; it gives way to whatever else runs
SECONDS_TO_STOP = 15.0


@asynccontextmanager
async def make_run(folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """`make run` in an empty folder, whose packages count as installed."""
    told = ("-f", str(ROOT / "Makefile"), "-o", ".venv/installed", f"VENV_PYTHON={sys.executable}")
    process = await asyncio.create_subprocess_exec(
        *("make", "--no-print-directory", *told, "run"),
        cwd=folder,
        env=environment(
            first_training_minutes=1,
            local_port=0,
            hf_hub_offline=1,
            xdg_cache_home=folder / "cache",
            log_format="text",
        ),
        stdout=asyncio.subprocess.PIPE,
        stderr=(folder / "bot.log").open("ab"),
        start_new_session=True,
    )
    async with killed_at_end(process):
        yield process


async def until(process: asyncio.subprocess.Process, word: str) -> str:
    """The first line with this word; all before it are read."""
    assert process.stdout is not None
    async with asyncio.timeout(SECONDS_OF_TRAINING):
        while word not in (line := (await process.stdout.readline()).decode()):
            assert line, "the bot has ended"
    return line


def address_in(line: str) -> str:
    return next(word.rstrip(".") for word in line.split() if word.startswith("http://127.0.0.1:"))


async def test_the_page_comes_first_and_what_is_sent_meanwhile_is_answered(tmp_path: Path) -> None:
    """Stopped in the middle, it goes on at the next start."""
    early, late = (row["content"] for row in tiny.make_rows(2))
    async with make_run(tmp_path) as process:
        url = address_in(await until(process, "http://"))
        async with chat_client(url) as http:
            for user in USERS:
                await Person(http, user).wait_until(bool)  # it says what is going on
            assert "ещё учатся" in str((await Person(http, ANYA).ask(early)).text)
        await until(process, "Reviews: ")  # before that the training has nothing to go on with
        process.send_signal(signal.SIGTERM)
        await until(process, "goes on after the last whole epoch")
        async with asyncio.timeout(SECONDS_TO_STOP):
            await process.wait()
    assert Registry(tmp_path / "models").champion() is None
    async with make_run(tmp_path) as process:
        url = address_in(await until(process, "http://"))
        async with chat_client(url) as http:
            anya, boris = Person(http, ANYA), Person(http, BORIS)
            await boris.wait_until(
                lambda messages: any("▰" in str(m.text) for m in messages), SECONDS_OF_TRAINING
            )
            await until(process, "pooling minus")  # which is better, and by how much
            assert address_in(await until(process, "The models are trained")) == url
            said = await anya.wait_until(
                lambda messages: any("CLS  " in str(m.text) for m in messages), 60
            )  # the review that the stopped bot had got
            assert any("CLS: точность" in str(m.text) for m in said)
            assert any("Mean, эпоха 3: потери" in str(m.text) for m in said)
            assert "CLS  " in str((await anya.ask(late, 60)).text)
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(SECONDS_TO_STOP):
            await process.wait()
    assert Registry(tmp_path / "models").champion() is not None
