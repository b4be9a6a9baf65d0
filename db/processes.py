"""The bots that run on this database, and how one that is dead is found.

Each has a lease, which it renews while it works; one that has run out is proof enough. The times
are the database's, so that the clocks of several machines need not agree.
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.engine import is_postgresql
from db.models import Process, Update

LEASE = timedelta(seconds=10)

GRACE = timedelta(seconds=6)
"""After a start of the server nobody is called dead for so long: who lives has yet to say so."""


class Renewed(NamedTuple):
    was_alive: bool  # False where the lease had run out, and others may have taken what it held
    dead: list[str]  # processes that were found dead just now
    alive: int  # how many there are, this one included


async def join(session: AsyncSession, name: str, now: datetime) -> None:
    """Put a new process beside the others. On SQLite there are none: who was before is dead."""
    now, _ = await _times(session, now)
    if not is_postgresql(session):
        await _remove(session, list(await session.scalars(select(Process.name))))
    session.add(Process(name=name, started_at=now, alive_until=now + LEASE))
    await session.flush()


async def renew(session: AsyncSession, name: str, now: datetime) -> Renewed:
    """Renew a process's lease, and free what dead ones had claimed."""
    now, server_started = await _times(session, now)
    own = update(Process).where(Process.name == name).values(alive_until=now + LEASE)
    was_alive = await session.scalar(own.returning(Process.name)) is not None
    if not was_alive:
        await join(session, name, now)
    dead: list[str] = []
    if now - server_started > GRACE:
        # One that is renewing its own at this moment is not dead, and not waited for.
        late = select(Process.name).where(Process.alive_until < now)
        dead = list(await session.scalars(late.with_for_update(skip_locked=True)))
        await _remove(session, dead)
    alive = await session.scalar(select(func.count()).select_from(Process)) or 1
    return Renewed(was_alive, dead, alive)


async def leave(session: AsyncSession, name: str) -> None:
    """Take a process from the others: what it has claimed is free at once."""
    await _remove(session, [name])


async def note_model(
    session: AsyncSession, name: str, model: str, promoted_at: datetime | None
) -> None:
    """Tell the others which version a process answers with, and when that was promoted."""
    own = update(Process).where(Process.name == name)
    await session.execute(own.values(model=model, promoted_at=promoted_at))


async def models(session: AsyncSession) -> dict[str, Process]:
    """The processes by name."""
    return {row.name: row for row in await session.scalars(select(Process))}


async def _remove(session: AsyncSession, names: list[str]) -> None:
    if names:
        theirs = update(Update).where(Update.claimed_by.in_(names))
        await session.execute(theirs.values(claimed_by=None, claimed_since=None))
        await session.execute(delete(Process).where(Process.name.in_(names)))


async def _times(session: AsyncSession, now: datetime) -> tuple[datetime, datetime]:
    """The time, and since when the server runs."""
    if not is_postgresql(session):
        return now, datetime.min.replace(tzinfo=UTC)
    times = await session.execute(select(func.clock_timestamp(), func.pg_postmaster_start_time()))
    now, started = times.one()
    return now, started
