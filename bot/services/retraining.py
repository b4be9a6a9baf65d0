"""Retraining: when there is enough to learn from, one at a time, judged by the gate, promoted."""

import asyncio
import logging
import time
from collections.abc import Awaitable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from bot.clock import Clock
from bot.delivery.transactions import Transactions
from bot.errors import BotError
from bot.schedule import Schedule
from bot.services.raters import StoodOut, stood_out
from bot.services.retraining_turn import CANCELLED, RetrainingTurn
from bot.services.training_process import Progress, TrainingFailed, TrainingProcess
from bot.services.versions import VersionService
from classifier.errors import ClassifierError
from db import training_data, training_runs
from db.engine import Sessions
from db.models import TrainingRun
from db.training_runs import Ending

RETRAINING = "retraining"  # the scheduled job's name
PER_USER = 50  # how many of the latest ratings of a user are used at most
NEW_PER_USER = 10
"""How many new ratings of a user count at most: no one person decides when to retrain."""

REFUSED_KEPT = 3  # newest refused versions that stay on disk, for an admin who wants one anyway

SECONDS_TO_CANCEL = 10.0

# How long a start waits while a bot clears up, which it does when it starts and after a run.
SECONDS_TO_CLEAR_UP = 10.0

logger = logging.getLogger(__name__)


class Watcher(Protocol):
    """Is told how retrainings go, and tells the admins."""

    async def progressed(self, run_id: int, progress: Progress) -> None: ...

    async def ended(self, run: TrainingRun, stood_out: list[StoodOut]) -> None: ...


class NotBegun(Enum):
    BUSY = auto()  # one is running
    SKIPPED = auto()  # too few new ratings; a run with the reason is stored
    READ_ONLY = auto()  # the folder of the models is
    NO_MODELS = auto()  # yet, to start from and to compare with


@dataclass
class Retraining:
    training: TrainingProcess
    versions: VersionService
    write: Sessions
    read: Sessions
    clock: Clock
    turn: RetrainingTurn
    fewest: int  # new ratings that a scheduled run needs
    watcher: Watcher | None = None
    _task: asyncio.Task[None] | None = None
    _killed_as: Ending | None = None
    _ended_as: Ending | None = None
    _stood_out: list[StoodOut] = field(default_factory=list)
    _beginning: asyncio.Lock = field(default_factory=asyncio.Lock)
    _stopping: bool = False

    async def begin(self, trigger: str) -> int | NotBegun:
        """Start a retraining ("schedule" or "admin") in the background; the run's id."""
        if not self.versions.live.ready.is_set():
            return NotBegun.NO_MODELS
        if not self._can_keep():
            return NotBegun.READ_ONLY
        async with self._beginning:
            if not await self._take_between_runs():
                return NotBegun.BUSY
            begun: int | NotBegun = NotBegun.BUSY
            try:
                await self._interrupt_orphan()
                begun = await self._start(trigger)
            finally:
                if isinstance(begun, NotBegun):
                    await self.turn.give_back()
                else:
                    self._killed_as = self._ended_as = None
                    self._stood_out = []
                    self._task = asyncio.create_task(self._work(begun), name="retraining")
            return begun

    async def _start(self, trigger: str) -> int | NotBegun:
        now = self.clock()
        async with self.write.begin() as session:
            judged = await training_runs.newest(session, *training_runs.JUDGED)
            since = judged.started_at if judged else None
            new = await training_data.rated_since(session, since, NEW_PER_USER)
            needed = self.fewest if trigger == "schedule" else 1
            if new < needed:
                reason = f"{new} new ratings, {needed} needed"
                await training_runs.skip(session, trigger, reason, now)
                logger.info("retraining skipped", extra={"trigger": trigger, "why": reason})
                return NotBegun.SKIPPED
            run_id = await training_runs.start(session, trigger, now)
        if run_id is None:
            return NotBegun.BUSY
        logger.info("retraining", extra={"run": run_id, "trigger": trigger, "new_ratings": new})
        return run_id

    async def cancel(self, run_id: int) -> bool:
        """Kill the run, in whichever process it is; False if it is not running, or ended first."""
        async with self.read() as session:
            run = await training_runs.newest(session, "running")
        if run is None or run.id != run_id:
            return False
        if self._is_at_work:
            return await self._kill(CANCELLED)
        async with self.write.begin() as session:
            await training_runs.ask_to_cancel(session, run_id)
        give_up = time.monotonic() + SECONDS_TO_CANCEL
        while run is not None and run.status == "running" and time.monotonic() < give_up:
            await asyncio.sleep(0.2)
            async with self.read() as session:
                run = await session.get(TrainingRun, run_id)
        return run is not None and run.status == "cancelled"

    async def catch_up(self, schedule: Schedule, cron: str) -> None:
        """Begin a run if one has come due since the last, while the bot was down."""
        async with self.read() as session:
            newest = await training_runs.newest(session)
        if newest is not None and schedule.was_missed(cron, newest.started_at, self.clock()):
            logger.info("a scheduled retraining was missed")
            await self.begin("schedule")

    async def stop(self) -> None:
        """Interrupt the run and begin no other: the bot stops."""
        self._stopping = True
        async with self._beginning:
            await self._kill(Ending("interrupted", "the bot was stopped"))

    async def wait(self) -> None:
        """Wait for the end of the run, if there is one."""
        if self._task is not None:
            await asyncio.wait({self._task})

    async def recover(self) -> None:
        """Mark a run whose bot is dead as interrupted, and remove what it left."""
        if not self._can_keep():
            return
        if not await self.turn.take():
            return  # the bot that runs it is alive, in another process
        try:
            await self._interrupt_orphan()  # first: another bot may ask whether one is running
            await asyncio.to_thread(self.training.clear_all)
            await self._tidy()
        finally:
            await self.turn.give_back()

    async def recover_others(self) -> None:
        """`recover` where another process began a run: it may be dead."""
        if not self._is_at_work and await self._running() is not None:
            await self.recover()

    @property
    def _is_at_work(self) -> bool:
        return self._task is not None and not self._task.done()

    async def _running(self) -> TrainingRun | None:
        async with self.read() as session:
            return await training_runs.newest(session, "running")

    async def _interrupt_orphan(self) -> None:
        """End the run that the database calls running: we hold the lock, so its bot is dead."""
        if (run := await self._running()) is not None:
            await self._end(run.id, Ending("interrupted", "the bot was killed meanwhile"))

    async def _work(self, run_id: int) -> None:
        over = asyncio.Event()
        watching = asyncio.create_task(self.turn.watch(run_id, over, self._end_early))
        try:
            try:
                ending = await self._trained(run_id)
            except TrainingFailed as error:
                ending = self._killed_as or Ending("failed", str(error))
            except (BotError, ClassifierError) as error:  # it can't be taken into use
                ending = Ending("failed", str(error))
            except Exception as error:
                logger.exception("retraining failed", extra={"run": run_id})
                ending = Ending("failed", f"{type(error).__name__}, see the log")
            self._ended_as = ending
            await self._end(run_id, ending)
            await self._tidy()
        finally:
            over.set()
            await asyncio.wait({watching})
            await self.turn.give_back()

    def _end_early(self, ending: Ending) -> None:
        if self._killed_as is None:
            self._killed_as = ending
            self.training.kill()

    async def _trained(self, run_id: int) -> Ending:
        async with self.read() as session:
            to_learn = await training_data.rated_reviews(session, held_out=False, per_user=PER_USER)
            held_out = await training_data.rated_reviews(session, held_out=True, per_user=PER_USER)
        # Told to the admins and stored nowhere: whoever is erased is not to be found in a run.
        self._stood_out = stood_out([*to_learn, *held_out])
        left_out = {one.user_id for one in self._stood_out if one.is_left_out}
        to_learn, held_out = (
            [review for review in reviews if review.user_id not in left_out]
            for reviews in (to_learn, held_out)
        )
        if not to_learn:
            raise TrainingFailed("nothing is left to learn from: all who rated stand out")

        async def on_progress(progress: Progress) -> None:
            if self.watcher is not None:
                await self._tell(self.watcher.progressed(run_id, progress))

        if self._killed_as is not None:
            raise TrainingFailed("killed before it began")
        decision = await self.training.train(to_learn, held_out, on_progress)
        version, reason = decision["challenger"], decision["reason"]
        if not decision["accepted"]:
            return Ending("refused", reason, version, decision)
        if ending := await self.turn.unwanted(run_id):
            return ending
        await self.versions.install(version)
        return Ending("promoted", reason, version, decision)

    async def _tidy(self) -> None:
        """Delete what a killed training left, and old refused versions."""
        async with self.read() as session:
            decided = await training_runs.decided(session)
        refused = [version for version, status in decided.items() if status == "refused"]
        try:
            await self.versions.tidy(refused[REFUSED_KEPT:])
        except (ClassifierError, OSError) as error:  # no space or no permission: next time
            logger.warning("the versions can't be tidied", exc_info=error)

    async def _end(self, run_id: int, ending: Ending) -> None:
        async def finish(session: AsyncSession) -> tuple[bool, TrainingRun | None]:
            ended = await training_runs.finish(session, run_id, ending, self.clock())
            return ended, await session.get(TrainingRun, run_id)

        ended, run = await Transactions(self.write).run(finish)
        facts = {"run": run_id, "status": ending.status, "why": ending.reason}
        logger.info("retraining ended", extra=facts)
        if ended and run is not None and self.watcher is not None:
            await self._tell(self.watcher.ended(run, self._stood_out))

    async def _kill(self, ending: Ending) -> bool:
        if not self._is_at_work:
            return False
        self._killed_as = ending
        self.training.kill()
        await self.wait()
        return self._ended_as is ending

    async def _tell(self, telling: Awaitable[None]) -> None:
        try:
            await telling
        except Exception:  # Telegram can't be reached: no reason to stop a training
            logger.warning("the watcher of a retraining failed", exc_info=True)

    def _can_keep(self) -> bool:
        """Whether a new version can be written; says so if not."""
        if not self.training.can_write:
            logger.warning("nothing is retrained here: the folder of the models is read-only")
        return self.training.can_write

    async def _take_between_runs(self) -> bool:
        """Take the turn, after waiting for a bot that clears up; False where one is retraining."""
        give_up = time.monotonic() + SECONDS_TO_CLEAR_UP
        while not self._stopping:
            if await self.turn.take():
                return True
            if await self._under_way() or time.monotonic() > give_up:
                break
            await asyncio.sleep(0.05)
        return False

    async def _under_way(self) -> bool:
        """Whether the holder of the lock is retraining, not only clearing up or telling the end."""
        if self.turn.is_ours:  # the database may call a dead bot's run running
            return self._is_at_work and self._ended_as is None
        return await self._running() is not None
