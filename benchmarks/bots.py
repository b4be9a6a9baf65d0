"""Bot processes to measure, on a database of their own, alone or beside a retraining."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from benchmarks.outside import PEOPLE, Outside
from benchmarks.processes import cpu_seconds, environment, memory_mb
from bot.local.people import LOCAL_ADMIN_ID
from classifier.errors import ClassifierError
from classifier.registry.registry import Registry
from classifier.registry.version import Version

SECONDS_TO_START = 300.0
SECONDS_TO_WARM_UP = 60.0
_WARM_UP = 8  # reviews for each process


class Bots:
    def __init__(self, outside: Outside, models: Path, folder: Path, program: str) -> None:
        """`program`: the module to run, the bot or what is to be measured in its place."""
        self._outside, self._models, self._folder = outside, models, folder
        self._retraining: asyncio.Task[float] | None = None
        self._program = program
        self._processes: list[asyncio.subprocess.Process] = []

    async def start(self, count: int, database: str) -> None:
        """Start so many; the first alone, for it migrates the database."""
        for number in range(count):
            with (self._folder / f"bot-{number}.log").open("wb") as log:
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", self._program),
                    cwd=self._folder,
                    env=self._environment(database, number),
                    stdout=asyncio.subprocess.DEVNULL,
                    stderr=log,
                )
            self._processes.append(process)
        await self._until_all_are_ready()
        for user in PEOPLE[: _WARM_UP * count]:
            self._outside.write(user)
        if not await self._outside.wait_for_answers(SECONDS_TO_WARM_UP):
            raise ClassifierError(f"The bots don't answer: {self._last_words()}")

    def memory(self) -> list[dict[str, Any]]:
        """Of each process, in MB."""
        return [
            {
                "resident_mb": memory_mb(process.pid, "VmRSS"),
                "peak_mb": memory_mb(process.pid, "VmHWM"),
            }
            for process in self._processes
        ]

    def cpu_seconds(self) -> float:
        """What all of them have computed so far."""
        return sum(cpu_seconds(process.pid) or 0.0 for process in self._processes)

    def statements(self) -> int:
        """How many they have sent to the database, where the program counts them."""
        files = self._folder.glob("statements-*")
        return sum(int(file.read_text("utf-8") or 0) for file in files)

    async def retrain(self) -> None:
        """Have a retraining go on beside the answers, from now or already."""
        if self.is_retraining():
            return
        for person in PEOPLE[:_WARM_UP]:  # something to learn from: a fifth is held out
            for answer in self._outside.said_by_bot(person)[:1]:
                self._outside.state.tap(person, answer, "8")
        await asyncio.sleep(1)
        self._outside.say(LOCAL_ADMIN_ID, "/retrain")
        try:
            async with asyncio.timeout(SECONDS_TO_WARM_UP):
                while not self.is_retraining():
                    await asyncio.sleep(0.1)
        except TimeoutError:
            told = f"No retraining has begun; the bot says: {self.told_to_admin()}"
            raise ClassifierError(told) from None
        self._retraining = asyncio.create_task(self._seconds_of_retraining())

    def told_to_admin(self) -> str:
        """The bot's last words about its retraining."""
        said = [str(one.get("text", "")) for one in self._outside.said_by_bot(LOCAL_ADMIN_ID)]
        return said[-1] if said else "nothing"

    async def retrained(self) -> float:
        """Wait for the end of the retraining; the seconds that its process ran."""
        assert self._retraining is not None
        return await self._retraining

    async def _seconds_of_retraining(self) -> float:
        began = time.perf_counter()
        while await asyncio.to_thread(self.is_retraining):
            await asyncio.sleep(0.2)
        return time.perf_counter() - began

    def is_retraining(self) -> bool:
        """Whether a process trains for this folder of models."""
        for file in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = file.read_bytes().decode("utf-8", "replace").split("\0")
            except OSError:  # it has ended meanwhile
                continue
            if {"classifier", "retrain", str(self._models)} <= set(words):
                return True
        return False

    def check(self) -> None:
        """Raises ClassifierError where a process has ended."""
        for process in self._processes:
            if process.returncode is not None:
                ended = f"A bot ended with {process.returncode}"
                raise ClassifierError(f"{ended}: {self._last_words()}")

    async def stop(self) -> None:
        if self._retraining is not None:
            self._retraining.cancel()
        for process in self._processes:
            if process.returncode is None:
                process.terminate()
        for process in self._processes:
            await process.wait()

    async def _until_all_are_ready(self) -> None:
        async with asyncio.timeout(SECONDS_TO_START):
            while not all('"ready"' in text for text in self._logs()):
                self.check()
                await asyncio.sleep(0.1)

    def _logs(self) -> list[str]:
        count = len(self._processes)
        files = [self._folder / f"bot-{number}.log" for number in range(count)]
        return [file.read_text("utf-8", errors="replace") for file in files]

    def _last_words(self) -> str:
        return "\n".join(text.strip()[-500:] for text in self._logs())

    def _environment(self, database: str, number: int) -> dict[str, str]:
        return environment(
            STATEMENTS=str(self._folder / f"statements-{number}"),
            TELEGRAM_TOKEN=self._outside.token,
            BOT_API_URL=self._outside.server.url,
            ADMIN_IDS=str(LOCAL_ADMIN_ID),
            DATABASE_URL=database,
            MODELS=str(self._models),
            REVIEWS_PER_MINUTE="100000",
            WEBHOOK_URL="",
            RETRAIN_CRON="",
            MONITORING_PORT="",
            LOG_FORMAT="json",
            KINORATE_CACHE=os.environ.get("KINORATE_CACHE", ""),
        )


@asynccontextmanager
async def bots_on(
    outside: Outside, version: Version, count: int, database: str, folder: Path, program: str
) -> AsyncIterator[Bots]:
    """Running bots; the user's database and their champion stay as they are."""
    models = folder / "models"
    models.mkdir()
    (models / version.name).symlink_to(version.path.resolve())
    Registry(models).promote(version.name)
    bots = Bots(outside, models, folder, program)
    try:
        await bots.start(count, database)
        yield bots
    finally:
        await bots.stop()
