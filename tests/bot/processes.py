"""`python -m bot` as a process of its own, in an empty folder and with no other settings."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0  # seconds; the import of torch alone takes several on a busy machine


def environment(**settings: object) -> dict[str, str]:
    """What the process needs besides its settings, which are named in lower case."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return {
        **kept,
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        **{name.upper(): str(value) for name, value in settings.items()},
    }


@asynccontextmanager
async def bot_process(
    folder: Path, **settings: object
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The process, started; killed at the end if it is still there. Its logs go to bot.log."""
    with (folder / "bot.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot"),
            cwd=folder,
            env=environment(**settings),
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
    async with killed_at_end(process):
        yield process


@asynccontextmanager
async def killed_at_end(process: asyncio.subprocess.Process) -> AsyncIterator[None]:
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def bot_command(
    folder: Path, *words: object, **settings: object
) -> "subprocess.CompletedProcess[str]":
    """`python -m bot` with these arguments, to its end."""
    return subprocess.run(
        [sys.executable, "-m", "bot", *map(str, words)],
        cwd=folder,
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def failure(folder: Path, **settings: object) -> tuple[int, str]:
    """The exit status of a bot that is expected to end by itself, and what it says."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot"),
        cwd=folder,
        env=environment(**settings),
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(PATIENCE):
        _, said = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()
