"""When the models were retrained, and how it ended."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import TrainingRun
from db.upsert import insert

_JUDGED = ("promoted", "refused")  # trained to the end, and put before the gate


async def start(session: AsyncSession, trigger: str, now: datetime) -> int | None:
    """Begin a run ("schedule" or "admin"); its id, None while another one is running."""
    new = insert(session, TrainingRun).values(trigger=trigger, status="running", started_at=now)
    return await session.scalar(new.on_conflict_do_nothing().returning(TrainingRun.id))


async def finish(
    session: AsyncSession,
    run_id: int,
    status: str,
    now: datetime,
    *,
    version: str | None = None,
    figures: dict[str, Any] | None = None,
    reason: str | None = None,
) -> bool:
    """End a run as promoted, refused, failed, cancelled or interrupted.

    False, and nothing changes, if it is not running any more: whoever ended it first is right.
    """
    ended = await session.scalar(
        update(TrainingRun)
        .where(TrainingRun.id == run_id, TrainingRun.status == "running")
        .values(status=status, finished_at=now, version=version, figures=figures, reason=reason)
        .returning(TrainingRun.id)
    )
    return ended is not None


async def skip(session: AsyncSession, trigger: str, reason: str, now: datetime) -> None:
    """Note that a run was due and why it was not made."""
    session.add(
        TrainingRun(
            trigger=trigger,
            status="skipped",
            started_at=now,
            finished_at=now,
            version=None,
            figures=None,
            reason=reason,
        )
    )
    await session.flush()


async def latest(session: AsyncSession) -> TrainingRun | None:
    """The newest run that was made, ended or not: what is due is reckoned from it."""
    made = select(TrainingRun).where(TrainingRun.status != "skipped")
    return await session.scalar(made.order_by(TrainingRun.id.desc()).limit(1))


async def counts(session: AsyncSession) -> dict[str, int]:
    """How many runs there are of each status that any has."""
    rows = await session.execute(
        select(TrainingRun.status, func.count()).group_by(TrainingRun.status)
    )
    return {row[0]: row[1] for row in rows}


async def newest(session: AsyncSession) -> TrainingRun | None:
    """The newest run, made or skipped."""
    return await session.scalar(select(TrainingRun).order_by(TrainingRun.id.desc()).limit(1))


async def running(session: AsyncSession) -> TrainingRun | None:
    """The run that is not over."""
    return await session.scalar(select(TrainingRun).where(TrainingRun.status == "running"))


async def latest_judged(session: AsyncSession) -> TrainingRun | None:
    """The newest run that was trained to its end: what it learnt from is no news any more."""
    judged = select(TrainingRun).where(TrainingRun.status.in_(_JUDGED))
    return await session.scalar(judged.order_by(TrainingRun.id.desc()).limit(1))


async def decided(session: AsyncSession) -> dict[str, str]:
    """Each version that was judged → "promoted" or "refused", newest first."""
    rows = await session.execute(
        select(TrainingRun.version, TrainingRun.status)
        .where(TrainingRun.status.in_(_JUDGED))
        .order_by(TrainingRun.id.desc())
    )
    return {version: status for version, status in rows if version is not None}


async def of_version(session: AsyncSession, version: str) -> TrainingRun | None:
    """The run in which a version was judged."""
    judged = TrainingRun.status.in_(_JUDGED)
    return await session.scalar(
        select(TrainingRun).where(judged, TrainingRun.version == version).limit(1)
    )
