"""The health of the bot: does the database answer, are updates fetched?"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from bot.delivery.retries import Pulse
from bot.prediction.queue import PredictionQueue, Predicts
from db import training_runs, updates
from db.engine import Sessions

SILENCE = 45.0
"""Seconds without a valid answer of Telegram; a poll that brings nothing lasts 10."""

PATIENCE = 2.0
"""Seconds that the database may take to answer."""


STUCK = 60.0
"""Seconds without an end of what takes moments: it hangs, and a restart may help."""


@dataclass(frozen=True)
class Health:
    """The state at one moment; the problems are sentences for the operator."""

    problems: tuple[str, ...]
    warnings: tuple[str, ...]  # the bot answers all the same
    model: str  # "" while there is none
    waiting_reviews: int
    waiting_updates: int  # of all processes together
    last_poll_seconds: float | None  # None where Telegram brings the updates itself
    newest_backup_seconds: float | None  # its age; None without any
    training_runs: dict[str, int]  # how many of each status, as last read
    is_stuck: bool  # the bot itself hangs; any other problem is somebody else's

    @property
    def is_well(self) -> bool:
        return not self.problems


@dataclass
class Checkup:
    """Examines the parts of a bot."""

    read: Sessions
    predictor: Predicts
    queue: PredictionQueue
    pulse: Pulse
    by_webhook: bool
    champion_trouble: Callable[[], str | None]
    backup_age: Callable[[], float | None]
    _waiting: int = 0
    _backup_age: float | None = None
    _runs: dict[str, int] = field(default_factory=dict)
    _asked: float = 0.0
    _asking: "asyncio.Task[bool] | None" = None

    async def examine(self) -> Health:
        """Never raises, and takes no longer than PATIENCE."""
        problems = []
        is_stuck = False
        database_answers = await self._database_answers()
        if not database_answers:
            problems.append("The database does not answer.")
            is_stuck = time.monotonic() - self._asked > STUCK
        batch = time.monotonic() - (self.queue.batch_began or time.monotonic())
        if batch > STUCK:
            problems.append(f"The models have been predicting one batch for {batch:.0f} seconds.")
            is_stuck = True
        age = time.monotonic() - self.pulse.last_good
        if self.pulse.is_standing_by:
            age = 0.0
        elif not self.pulse.fetching:
            problems.append("No updates are fetched.")
        elif age > SILENCE and (self.pulse.trouble or not self.by_webhook):
            since = datetime.now(UTC) - timedelta(seconds=age)
            problems.append(
                f"No valid answer of Telegram since {since:%H:%M:%S} UTC"
                f" ({self.pulse.trouble or 'silence'})."
            )
            # Without the database nothing is fetched, since it could not be stored.
            silent = age > SILENCE + STUCK and not self.pulse.trouble
            is_stuck = is_stuck or (silent and database_answers)
        return Health(
            problems=tuple(problems),
            warnings=tuple(filter(None, [self.champion_trouble()])),
            model=self.predictor.version,
            waiting_reviews=self.queue.waiting,
            waiting_updates=self._waiting,
            last_poll_seconds=None if self.by_webhook else round(age, 1),
            newest_backup_seconds=None if self._backup_age is None else round(self._backup_age),
            training_runs=self._runs,
            is_stuck=is_stuck,
        )

    async def _database_answers(self) -> bool:
        # One query at a time, however often a monitor asks, and never cancelled: that would leave
        # a connection in the middle of it.
        if self._asking is None or self._asking.done():
            self._asking, self._asked = asyncio.create_task(self._ask()), time.monotonic()
        answered, _ = await asyncio.wait({self._asking}, timeout=PATIENCE)
        return bool(answered) and self._asking.result()

    async def _ask(self) -> bool:
        self._backup_age = await asyncio.to_thread(self.backup_age)
        try:
            async with self.read() as session:
                self._runs = await training_runs.counts(session)
                self._waiting = await updates.waiting(session)
        except (SQLAlchemyError, OSError):
            return False
        return True
