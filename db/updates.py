"""The inbox: updates that Telegram delivered, and which of them are not handled yet."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, case, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.engine import UNSYNCHRONIZED, insert, is_postgresql
from db.models import Update

KEPT = timedelta(days=3)
"""How long an update is known as seen, and an unreadable one is kept.

Telegram delivers an update again for 24 hours at most.
"""

CHANNEL = "kinorate_inbox"
"""Of the announcements that there are new updates, or updates that are free again."""

_CLAIMS = (5466474, 100)  # the advisory lock under which one process at a time chooses

_PENDING = Update.done_at.is_(None) & ~Update.unreadable
_UNCLAIMED: dict[str, None] = {"claimed_by": None, "claimed_since": None}


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


async def announce(session: AsyncSession, process: str) -> None:
    """Wake all other processes, once this transaction is committed."""
    if is_postgresql(session):
        await session.execute(select(func.pg_notify(CHANNEL, process)))


async def claim(
    session: AsyncSession,
    process: str,
    now: datetime,
    *,
    most: int,
    each: int,
    paused: Collection[int] = (),
    held: bool = True,
) -> list[Update]:
    """Claim up to `most` pending updates for a process; in the order of arrival.

    What one sender has waiting is in the hands of one process at a time, at most `each` of it
    besides what is `paused` there. Senders take turns: who has a thousand waiting gets no more than
    who has one. Without models a process leaves out what is `held`.
    """
    if is_postgresql(session):
        # Otherwise two may choose at once, and each get a part of what a sender has waiting.
        await session.execute(select(func.pg_advisory_xact_lock(*_CLAIMS)))
    chosen = _in_turn(process, each, paused, held).limit(most)
    # A row that another transaction is about to change, as an erasure, is no reason to wait.
    free = select(Update.update_id).where(Update.update_id.in_(chosen), _PENDING)
    claimed = await session.scalars(
        update(Update)
        .where(Update.update_id.in_(free.with_for_update(skip_locked=True)))
        .values(claimed_by=process, claimed_since=now)
        .returning(Update)
    )
    return sorted(claimed, key=lambda row: (row.received_at, row.update_id))


async def claimable(
    session: AsyncSession,
    process: str,
    *,
    each: int,
    paused: Collection[int] = (),
    held: bool = True,
) -> int:
    """How many updates a process may claim now, at most `each` of one sender."""
    counted = select(func.count()).select_from(_in_turn(process, each, paused, held).subquery())
    return await session.scalar(counted) or 0


def _in_turn(process: str, each: int, paused: Collection[int], held: bool) -> Select[tuple[int]]:
    """The ids of the updates that a process may claim, whose turn is next first."""
    taken = (
        select(
            Update.user_id,
            func.sum(case((Update.update_id.in_(paused), 0), else_=1)).label("in_hand"),
            func.max(case((Update.claimed_by == process, 0), else_=1)).label("elsewhere"),
        )
        .where(Update.claimed_by.is_not(None), _PENDING)
        .group_by(Update.user_id)
        .cte("taken")
    )
    sender = func.coalesce(Update.user_id, -Update.update_id)  # nobody's are each on their own
    order = (Update.received_at, Update.update_id)
    turn = func.row_number().over(partition_by=sender, order_by=order)
    free = _PENDING & Update.claimed_by.is_(None)
    if not held:
        free &= Update.held_at.is_(None)
    waiting = (
        select(
            Update.update_id,
            Update.received_at,
            (turn + func.coalesce(taken.c.in_hand, 0)).label("turn"),
        )
        .outerjoin(taken, taken.c.user_id == Update.user_id)
        .where(free, func.coalesce(taken.c.elsewhere, 0) == 0)
        .cte("waiting")
    )
    return (
        select(waiting.c.update_id)
        .where(waiting.c.turn <= each)
        .order_by(waiting.c.turn, waiting.c.received_at, waiting.c.update_id)
    )


async def pending_of(session: AsyncSession, user_id: int) -> list[dict[str, Any]]:
    """The payloads of a user's updates still to be handled, in the order in which they came."""
    waiting = select(Update.payload).where(Update.user_id == user_id, _PENDING)
    ordered = waiting.order_by(Update.received_at, Update.update_id)
    return [payload for payload in await session.scalars(ordered) if payload is not None]


async def waiting(session: AsyncSession) -> int:
    """How many updates are still to be handled, in all processes together."""
    return await session.scalar(select(func.count()).select_from(Update).where(_PENDING)) or 0


async def start(session: AsyncSession, update_id: int, process: str) -> int:
    """Count an attempt at an update; which attempt it is, 0 if it is not the process's any more.

    Commit it before the attempt: the number shows an update that kills the process each time.
    """
    counted = await session.scalar(
        update(Update)
        .where(Update.update_id == update_id, Update.claimed_by == process, _PENDING)
        .values(attempts=Update.attempts + 1)
        .returning(Update.attempts)
        .execution_options(**UNSYNCHRONIZED)
    )
    return counted or 0


async def is_claimed(session: AsyncSession, update_id: int, process: str) -> bool:
    """Whether an update is still to be handled by this process: after its user's erasure it is not.

    The answer holds until the transaction ends, so its results can be stored in that.
    """
    # Locked, so that PostgreSQL lets nobody erase it before the commit; SQLite has one writer.
    waiting = select(Update.update_id).where(
        Update.update_id == update_id, Update.claimed_by == process, _PENDING
    )
    return await session.scalar(waiting.with_for_update()) is not None


async def hold(
    session: AsyncSession, update_ids: Collection[int], process: str, now: datetime
) -> None:
    """Leave updates that this process has begun to one that has models; no attempt was made."""
    attempts = case((Update.attempts > 0, Update.attempts - 1), else_=0)
    ours = Update.claimed_by.is_(None) | (Update.claimed_by == process)
    begun = update(Update).where(Update.update_id.in_(update_ids), ours, _PENDING)
    await session.execute(begun.values(held_at=now, attempts=attempts, **_UNCLAIMED))


async def is_any_held(session: AsyncSession, user_id: int) -> bool:
    """Whether a user, who knows it then, has updates that wait for models."""
    held = select(Update.update_id).where(
        Update.user_id == user_id, Update.held_at.is_not(None), _PENDING
    )
    return await session.scalar(held.limit(1)) is not None


async def set_aside(session: AsyncSession, update_id: int) -> None:
    """Keep an update that no handler can use, and try it no more."""
    aside = update(Update).where(Update.update_id == update_id, _PENDING)
    await session.execute(aside.values(unreadable=True, **_UNCLAIMED))


async def is_pending(session: AsyncSession, update_id: int) -> bool:
    """Whether an update is still to be handled, by whichever process."""
    waiting = select(Update.update_id).where(Update.update_id == update_id, _PENDING)
    return await session.scalar(waiting) is not None


async def mark_done(
    session: AsyncSession,
    update_ids: Collection[int],
    now: datetime,
    process: str | None = None,
) -> None:
    """Note that these updates are handled: of each only the id stays, as seen.

    With a `process`, those that others have claimed are left alone.
    """
    done = update(Update).where(Update.update_id.in_(update_ids), _PENDING)
    if process is not None:
        done = done.where(Update.claimed_by.is_(None) | (Update.claimed_by == process))
    noted = done.values(done_at=now, payload=None, user_id=None, **_UNCLAIMED)
    await session.execute(noted.execution_options(**UNSYNCHRONIZED))


async def delete_old(session: AsyncSession, now: datetime) -> int:
    """Delete what is not pending and came longer ago than KEPT; how many updates that were."""
    old = delete(Update).where(~_PENDING, Update.received_at < now - KEPT)
    return len((await session.scalars(old.returning(Update.update_id))).all())
