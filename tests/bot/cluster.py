"""Several bot processes on one PostgreSQL database: killed, started again, asked what they do."""

import asyncio
import json
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import asyncpg

from tests.bot.processes import environment
from tests.postgres import PostgresServer

PATIENCE = 120.0  # seconds; a busy machine is slow
_AWAY = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
WHO_HOLDS = """
SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND classid = 5466474 AND objid = $1 AND granted
"""


class Cluster:
    def __init__(
        self, server: PostgresServer, database: str, folder: Path, settings: dict[str, object]
    ) -> None:
        self.server, self.database, self.folder = server, database, folder
        self.settings = settings
        self.kills = 0
        self._bots: dict[str, asyncio.subprocess.Process] = {}
        self._own: dict[str, dict[str, object]] = {}
        self._connection: asyncpg.Connection | None = None
        self._one_query_at_a_time = asyncio.Lock()

    @property
    def names(self) -> list[str]:
        return list(self._own)

    async def start(self, name: str, **own: object) -> None:
        """Start a process, anew with the settings that it had where it was started before."""
        self._own[name] = own = own or self._own.get(name, {})
        url = f"{self.server.url(self.database)}&application_name={name}"
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        with (folder / "log").open("ab") as log:
            self._bots[name] = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.bot.fixed_time_bot"),
                cwd=folder,
                env=environment(**self.settings | own, database_url=url),
                stdout=log,
                stderr=log,
            )

    async def kill(self, name: str) -> None:
        self.check()
        self.kills += 1
        process = self._bots.pop(name)
        process.kill()
        await process.wait()

    async def end(self, name: str) -> int:
        """Stop a process as a supervisor does; its exit status."""
        self._bots[name].send_signal(signal.SIGTERM)
        return await self._bots.pop(name).wait()

    async def stop(self) -> None:
        """Kill those that are left."""
        if self._connection is not None:
            self._connection.terminate()
        for process in self._bots.values():
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    def check(self) -> None:
        """That no process has ended by itself."""
        for name, process in self._bots.items():
            if process.returncode is not None:
                last = (self.folder / name / "log").read_text("utf-8")[-3000:]
                raise AssertionError(f"{name} ended with {process.returncode}: {last}")

    def logged(self, name: str) -> list[dict[str, Any]]:
        lines = (self.folder / name / "log").read_text("utf-8").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def count(self, event: str) -> int:
        """How often all of them together have logged it."""
        return sum(
            line.get("message") == event for name in self.names for line in self.logged(name)
        )

    async def until_ready(self, starts: int) -> None:
        """Until so many starts of processes have come to their end."""
        await self.until(lambda: self.count("ready") >= starts)

    async def until(self, condition: Callable[[], bool], patience: float = PATIENCE) -> float:
        """The seconds until it holds."""
        began = time.monotonic()
        while not condition():
            self.check()
            assert time.monotonic() - began < patience, "waited in vain"
            await asyncio.sleep(0.1)
        return time.monotonic() - began

    async def query(self, sql: str, *values: object) -> list[Any]:
        """The first column; again where the server is away."""
        async with asyncio.timeout(PATIENCE), self._one_query_at_a_time:
            while True:
                with suppress(OSError, *_AWAY):
                    if self._connection is None or self._connection.is_closed():
                        self._connection = await asyncpg.connect(
                            user="postgres", database=self.database, host=str(self.server.folder)
                        )
                    return [row[0] for row in await self._connection.fetch(sql, *values)]
                if self._connection is not None:
                    self._connection.terminate()
                await asyncio.sleep(0.1)

    async def holder(self, task: int) -> str | None:
        """Who does one of the tasks of db/advisory_lock.py."""
        found = await self.query(WHO_HOLDS, task)
        return str(found[0]) if found else None

    async def until_held(self, task: int) -> str:
        async with asyncio.timeout(PATIENCE):
            while (name := await self.holder(task)) is None:
                await asyncio.sleep(0.05)
        return name

    async def until_held_by_another(self, task: int, killed: str) -> None:
        """Wait until the server has missed the killed one, and another has taken its place."""
        async with asyncio.timeout(20):
            while await self.holder(task) in (None, killed):
                await asyncio.sleep(0.05)


@asynccontextmanager
async def cluster(
    server: PostgresServer, database: str, folder: Path, **settings: object
) -> AsyncIterator[Cluster]:
    """None is started yet; those that are left at the end are killed."""
    server.execute("postgres", f"CREATE DATABASE {database}")
    bots = Cluster(server, database, folder, settings)
    try:
        yield bots
    finally:
        await bots.stop()
