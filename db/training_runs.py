"""When the models were retrained, and how it ended."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.engine import insert
from db.models import TrainingRun

JUDGED = ("promoted", "refused")
"""How a run ends whose version was judged by the gate: what it learnt from is no longer new."""


class Ending(NamedTuple):
    """How a run ended, with the version that it trained and the figures of the gate."""

    status: str  # promoted, refused, failed, cancelled or interrupted
    reason: str | None = None
    version: str | None = None
    figures: dict[str, Any] | None = None


async def start(session: AsyncSession, trigger: str, now: datetime) -> int | None:
    """Begin a run ("schedule" or "admin"); its id, None while another one is running."""
    new = insert(session, TrainingRun).values(trigger=trigger, status="running", started_at=now)
    return await session.scalar(new.on_conflict_do_nothing().returning(TrainingRun.id))


async def finish(session: AsyncSession, run_id: int, ending: Ending, now: datetime) -> bool:
    """End a run; False, and nothing changes, if it is not running: the first ending counts."""
    ended = await session.scalar(
        update(TrainingRun)
        .where(TrainingRun.id == run_id, TrainingRun.status == "running")
        .values(finished_at=now, **ending._asdict())
        .returning(TrainingRun.id)
    )
    return ended is not None


async def ask_to_cancel(session: AsyncSession, run_id: int) -> None:
    """Ask the process that retrains to end a run."""
    of_run = update(TrainingRun).where(TrainingRun.id == run_id)
    await session.execute(of_run.values(cancel_requested=True))


async def skip(session: AsyncSession, trigger: str, reason: str, now: datetime) -> None:
    """Note that a run was due, and why it did not start."""
    skipped = {"status": "skipped", "started_at": now, "finished_at": now}
    new = insert(session, TrainingRun).values(trigger=trigger, reason=reason, **skipped)
    await session.execute(new)


async def counts(session: AsyncSession) -> dict[str, int]:
    """How many runs there are of each status that occurs."""
    runs = select(TrainingRun.status, func.count()).group_by(TrainingRun.status)
    return {row[0]: row[1] for row in await session.execute(runs)}


async def newest(session: AsyncSession, *statuses: str) -> TrainingRun | None:
    """The newest run, of those with one of these statuses if any are given."""
    runs = select(TrainingRun).order_by(TrainingRun.id.desc()).limit(1)
    return await session.scalar(runs.where(TrainingRun.status.in_(statuses)) if statuses else runs)


async def decided(session: AsyncSession) -> dict[str, str]:
    """Each judged version → "promoted" or "refused", newest first."""
    rows = await session.execute(
        select(TrainingRun.version, TrainingRun.status)
        .where(TrainingRun.status.in_(JUDGED))
        .order_by(TrainingRun.id.desc())
    )
    return {version: status for version, status in rows if version is not None}


async def judging(session: AsyncSession, version: str) -> TrainingRun | None:
    """The run in which a version was judged."""
    judged = TrainingRun.status.in_(JUDGED)
    return await session.scalar(select(TrainingRun).where(judged, TrainingRun.version == version))
