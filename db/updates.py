"""The inbox: updates that Telegram delivered, and which of them are not handled yet."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.engine import insert
from db.models import Update

KEPT = timedelta(days=3)
"""How long an update is known as seen, and an unreadable one is kept.

Telegram delivers an update again for 24 hours at most.
"""

_PENDING = Update.done_at.is_(None) & ~Update.unreadable


async def add(
    session: AsyncSession,
    update_id: int,
    payload: dict[str, Any],
    user_id: int | None,
    now: datetime,
) -> bool:
    """Put an update into the inbox; False if it has been there before, handled or not.

    `user_id` is its sender, so that it can be erased with them.
    """
    new = insert(session, Update).values(
        update_id=update_id, payload=payload, user_id=user_id, received_at=now, attempts=0
    )
    added = await session.scalar(new.on_conflict_do_nothing().returning(Update.update_id))
    return added is not None


async def pending(session: AsyncSession) -> list[Update]:
    """The updates still to be handled, in the order in which they came."""
    waiting = select(Update).where(_PENDING)
    return list(await session.scalars(waiting.order_by(Update.received_at, Update.update_id)))


async def pending_of(session: AsyncSession, user_id: int) -> list[dict[str, Any]]:
    """The payloads of a user's updates still to be handled."""
    waiting = select(Update.payload).where(Update.user_id == user_id, _PENDING)
    return [payload for payload in await session.scalars(waiting) if payload is not None]


async def start(session: AsyncSession, update_id: int) -> int:
    """Count an attempt at an update; which attempt it is, 0 if the update is not pending.

    Commit it before the attempt: the number shows an update that kills the process each time.
    """
    counted = await session.scalar(
        update(Update)
        .where(Update.update_id == update_id, _PENDING)
        .values(attempts=Update.attempts + 1)
        .returning(Update.attempts)
    )
    return counted or 0


async def is_pending(session: AsyncSession, update_id: int) -> bool:
    """Whether an update is still to be handled: after its user's erasure it is not.

    The answer holds until the transaction ends, so its results can be stored in that.
    """
    # Locked, so that PostgreSQL lets nobody erase it before the commit; SQLite has one writer.
    waiting = select(Update.update_id).where(Update.update_id == update_id, _PENDING)
    return await session.scalar(waiting.with_for_update()) is not None


async def set_aside(session: AsyncSession, update_id: int) -> None:
    """Keep an update that no handler can use, and try it no more."""
    aside = update(Update).where(Update.update_id == update_id, _PENDING)
    await session.execute(aside.values(unreadable=True))


async def mark_done(session: AsyncSession, update_ids: Collection[int], now: datetime) -> None:
    """Note that these updates are handled: of each only the id stays, as seen."""
    await session.execute(
        update(Update)
        .where(Update.update_id.in_(update_ids), _PENDING)
        .values(done_at=now, payload=None, user_id=None)
    )


async def delete_old(session: AsyncSession, now: datetime) -> int:
    """Delete what is not pending and came longer ago than KEPT; how many updates that were."""
    old = delete(Update).where(~_PENDING, Update.received_at < now - KEPT)
    return len((await session.scalars(old.returning(Update.update_id))).all())
