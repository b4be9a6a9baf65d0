"""The champion to start with: the one on disk or, where there is none yet, one trained first."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from bot.errors import BotError
from bot.folders import check_folder
from bot.monitoring.startup import Startup
from bot.services.training_process import environment
from classifier.files import take_lock
from classifier.registry.registry import Registry
from classifier.registry.version import Version

LOCK = ".first-training"  # a file in the models' folder
COMMAND = (sys.executable, "-m", "classifier", "train")
SECONDS_TO_END = 5.0
"""How long a training that is to end has, before it is killed; it can go on from its last epoch."""

_SECONDS_BETWEEN_LOOKS = 0.5

logger = logging.getLogger(__name__)


async def champion_of(
    models: Path, minutes: int | None, startup: Startup, say: Callable[[str], None]
) -> Version:
    """The champion in `models`; where there is none, trained for `minutes`, which `say` is told of.

    Of several processes with the same folder one trains, and the others wait for it. Cancelling
    this ends the training. Raises BotError where `minutes` is None, or no champion comes of it.
    """
    registry = Registry(models)
    if champion := registry.champion():
        return champion
    if minutes is None:
        raise BotError(
            f"There are no trained models in {models}: `make run` trains them and then starts the"
            " bot; with FIRST_TRAINING_MINUTES the bot itself does."
        )
    check_folder(models, "MODELS")
    startup.enter("training")
    lock = take_lock(models / LOCK, wait=False)
    if lock is None:
        say(f"There are no trained models in {models} yet: waiting for the process that trains.")
    while lock is None:
        await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
        startup.sign_of_life()  # the other process tells if it gets stuck
        lock = take_lock(models / LOCK, wait=False)
    try:
        if registry.champion() is None:
            say(
                f"There are no trained models in {models} yet: they are trained first, which takes"
                f" about {minutes} min. Then the bot starts."
            )
            await _train(models, minutes, lock, startup, say)
    finally:
        os.close(lock)
    champion = registry.champion()
    if champion is None:
        raise BotError(f"The first training has left no champion in {models}.")
    startup.enter("starting")
    return champion


async def _train(
    models: Path, minutes: int, lock: int, startup: Startup, say: Callable[[str], None]
) -> None:
    process = await asyncio.create_subprocess_exec(
        *(*COMMAND, "--minutes", str(minutes), "--models", str(models), "--resume"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=environment(),
        pass_fds=(lock,),  # held as long as the training lives, should this process be killed
        start_new_session=True,  # Ctrl-C ends the bot, which ends the training
    )
    logger.info("first training", extra={"minutes": minutes})
    heard = _Listener(process, startup, say)
    try:
        await heard.to_the_end()
        status = await process.wait()
    finally:
        await _end(process, heard)
    if status:
        raise BotError(f"The first training failed (exit status {status}): {heard.last}")
    logger.info("first training done")


class _Listener:
    """Passes on what a training says, line by line."""

    def __init__(
        self, process: asyncio.subprocess.Process, startup: Startup, say: Callable[[str], None]
    ) -> None:
        assert process.stdout is not None
        self._lines, self._startup, self._say = process.stdout, startup, say
        self.last = "it said nothing"

    async def to_the_end(self) -> None:
        async for line in self._lines:
            self._startup.sign_of_life()
            if text := line.decode("utf-8", "replace").rstrip():
                self._say(text)
                self.last = text


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
