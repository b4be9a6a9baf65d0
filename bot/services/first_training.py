"""The first training, where there is no champion yet; the bot is there meanwhile."""

import asyncio
import logging
import os
import shutil
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from bot.clock import is_set_within
from bot.errors import BotError
from bot.monitoring.startup import Startup
from bot.prediction.live_models import LiveModels
from bot.services.training_process import (
    LONGEST_LINE,
    Progress,
    TrainingFailed,
    end_of,
    environment,
    parsed,
)
from classifier.errors import ClassifierError
from classifier.files import take_lock
from classifier.registry.registry import Registry

LOCK = ".first-training"  # a file in the models' folder
COMMAND = (sys.executable, "-m", "classifier", "train")
SECONDS_TO_END = 5.0
"""How long a training that is to end has, before it is killed; it can go on from its last epoch."""

FIRST_PAUSE, LONGEST_PAUSE = 60.0, 3600.0
"""Seconds after the first failure, and after the seventh: each pause is twice the last one."""

_SECONDS_BETWEEN_LOOKS = 0.5

logger = logging.getLogger(__name__)


class Epoch(NamedTuple):
    """One that has ended: of which training, and its figures by their names in the history."""

    training: str
    figures: dict[str, Any]


class Failure(NamedTuple):
    reason: str
    minutes: int  # until it is tried again


@dataclass
class Account:
    """How the training goes, for whoever tells of it; `changed` is set at each change."""

    minutes: int  # that it is to take
    is_here: bool = False  # not in another process
    progress: Progress | None = None
    epochs: list[Epoch] = field(default_factory=list)
    failure: Failure | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event)  # the models answer
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self, **values: object) -> None:
        for name, value in values.items():
            setattr(self, name, value)
        self.changed.set()


@dataclass
class FirstTraining:
    """Trains in a process of its own until there is a champion, which the bot then takes.

    Of several processes with the same folder one trains, and the others wait for it. One that fails
    is tried again after a minute, two, four and so on, and goes on after its last whole epoch.
    """

    models: Path
    minutes: int
    startup: Startup
    say: Callable[[str], None]  # on the terminal
    # Who is told in the chat, and in which language if that is known.
    audience: Mapping[int, str | None] = field(default_factory=dict)
    ready: str = "The models are trained, and the bot answers."  # said on the terminal at the end
    on_ready: Callable[[], None] = lambda: None
    account: Account = field(init=False)
    _wanted: asyncio.Event = field(default_factory=asyncio.Event)
    _lock: int | None = None
    _task: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self.account = Account(self.minutes)

    def start(self, live: LiveModels) -> None:
        """Train, unless another process does, until `live` has models."""
        self.startup.enter("training")
        self._task = asyncio.create_task(self._run(live), name="first training")

    async def stop(self) -> None:
        """End the training in order; the next start goes on with it."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    def try_again(self) -> bool:
        """Now, if it has failed; whether it had."""
        has_failed = self.account.failure is not None
        if has_failed:
            self._wanted.set()
        return has_failed

    async def _run(self, live: LiveModels) -> None:
        failures = 0
        try:
            while reason := await self._failure(live):
                failures += 1
                await self._pause(reason, failures)
            await live.ready.wait()  # whoever watches the champion takes it
        finally:
            if self._lock is not None:
                os.close(self._lock)
        self.startup.enter("starting")
        self.say(self.ready)
        self.account.over.set()
        self.account.note(failure=None)
        self.on_ready()

    async def _failure(self, live: LiveModels) -> str | None:
        """Why there is no champion after another try; None where there is one."""
        try:
            if await self._take_turn(live) and live.registry.champion() is None:
                await self._train()
        except (TrainingFailed, BotError, ClassifierError) as error:
            return str(error)
        except Exception as error:
            logger.exception("the first training failed")
            return f"{type(error).__name__}, see the log"
        return None

    async def _take_turn(self, live: LiveModels) -> bool:
        """Wait until it is this process's turn to train; False where there are models by then."""
        is_said = False
        while self._lock is None and not live.ready.is_set():
            self._lock = take_lock(self.models / LOCK, wait=False)
            if self._lock is None:
                if not is_said:
                    self.say(f"Another process trains the models in {self.models}: waiting for it.")
                is_said = True
                self.startup.sign_of_life()  # the other process tells if it gets stuck
                await is_set_within(live.ready, _SECONDS_BETWEEN_LOOKS)
        return not live.ready.is_set()

    async def _pause(self, reason: str, failures: int) -> None:
        seconds = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (failures - 1))
        minutes = max(1, round(seconds / 60))
        logger.error("first training failed", extra={"error": reason, "again_in": seconds})
        told = f"The first training failed ({reason}). It is tried again in {minutes} min."
        self.say(told)
        self.startup.trouble = told
        self._wanted.clear()
        self.account.note(failure=Failure(reason, minutes))
        await is_set_within(self._wanted, seconds)
        self.startup.enter("training")
        self.account.note(failure=None, progress=None)

    async def _train(self) -> None:
        assert self._lock is not None
        options = ("--minutes", str(self.minutes), "--models", str(self.models))
        process = await asyncio.create_subprocess_exec(
            *(*COMMAND, *options, "--resume", "--progress"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={"COLUMNS": str(shutil.get_terminal_size().columns)} | environment(),
            pass_fds=(self._lock,),  # held as long as the training lives, should this one be killed
            start_new_session=True,  # Ctrl-C ends the bot, which ends the training
            limit=LONGEST_LINE,
        )
        logger.info("first training", extra={"minutes": self.minutes})
        self.account.note(is_here=True)
        heard = _Listener(process, self)
        try:
            await heard.to_the_end()
            status = await process.wait()
        finally:
            await _end(process, heard)
        if status:
            # What one said that was killed is no reason.
            raise TrainingFailed(end_of(status, heard.last if status > 0 else ""))
        if Registry(self.models).champion() is None:
            raise TrainingFailed(f"it has left no champion in {self.models}")
        logger.info("first training done")


class _Listener:
    """Passes on what a training says, line by line."""

    def __init__(self, process: asyncio.subprocess.Process, training: FirstTraining) -> None:
        assert process.stdout is not None
        self._lines, self._training = process.stdout, training
        self.last = ""

    async def to_the_end(self) -> None:
        account = self._training.account
        async for line in self._lines:
            self._training.startup.sign_of_life()
            told = parsed(line)
            if "share" in told:
                account.note(progress=Progress.of(told))
            elif ended := told.get("ended"):
                account.note(epochs=[*account.epochs, Epoch(ended.pop("training"), ended)])
            else:
                self._pass_on(told.get("said", line.decode("utf-8", "replace")))

    def _pass_on(self, text: str) -> None:
        self._training.say(text.rstrip())
        self.last = text.strip() or self.last


async def _end(process: asyncio.subprocess.Process, heard: _Listener) -> None:
    """End the training if it still runs, so that it can go on later; kill it if it doesn't end."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(TimeoutError):
            async with asyncio.timeout(SECONDS_TO_END):
                await heard.to_the_end()
                await process.wait()
