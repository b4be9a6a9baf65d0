"""What the gate decided about the versions that retraining made."""

from db import training_runs
from db.engine import Sessions
from db.models import TrainingRun


class Decisions:
    def __init__(self, read: Sessions) -> None:
        self._read = read

    async def statuses(self) -> dict[str, str]:
        """Version → "promoted" or "refused", newest first."""
        async with self._read() as session:
            return await training_runs.decided(session)

    async def of(self, version: str) -> TrainingRun | None:
        """The run whose decision was about this version."""
        async with self._read() as session:
            return await training_runs.of_version(session, version)
