"""The right to do what one process at a time does, such as a retraining.

PostgreSQL decides it where several processes share one (db/advisory_lock.py). On SQLite it is a
lock of a file.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from classifier.files import take_lock
from db.advisory_lock import AdvisoryLock, Task
from db.engine import Database


class Lock(Protocol):
    @property
    def can_be_lost(self) -> bool:
        """Whether who has it may lose it and live on."""

    async def take(self) -> bool:
        """Whether it is ours, now or already; raises SQLAlchemyError or OSError."""

    async def release(self) -> None: ...


@dataclass
class FileLock:
    """The system frees it when this process is dead."""

    path: Path
    can_be_lost: bool = False
    _descriptor: int | None = None

    async def take(self) -> bool:
        if self._descriptor is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = take_lock(self.path, wait=False)
        return self._descriptor is not None

    async def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


@dataclass(frozen=True)
class AlwaysOurs:
    """Of the only process."""

    can_be_lost: bool = False

    async def take(self) -> bool:
        return True

    async def release(self) -> None:
        """Nothing."""


def retraining_lock(database: Database, models: Path) -> Lock:
    if database.is_shared:
        return AdvisoryLock(database.engine, Task.RETRAINING)
    return FileLock(models / ".retraining.lock")


def scheduling_lock(database: Database) -> Lock:
    return AdvisoryLock(database.engine, Task.SCHEDULING) if database.is_shared else AlwaysOurs()
