"""The inbox: updates that Telegram delivered, and which of them are not handled yet."""

from collections.abc import Collection
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Integer, Select, UpdateBase, bindparam, case, delete, func, select, update
from sqlalchemy import Update as Updating
from sqlalchemy.ext.asyncio import AsyncSession

from db.engine import InsertInto, is_postgresql, prepared, table_of
from db.models import Update

KEPT = timedelta(days=3)
"""How long an update is known as seen, and an unreadable one is kept.

Telegram delivers an update again for 24 hours at most.
"""

CHANNEL = "kinorate_inbox"
"""Of the announcements that there are new updates, or updates that are free again."""

_CLAIMS = (5466474, 100)  # the advisory lock under which one process at a time chooses

_TABLE = table_of(Update)
_COLUMN = _TABLE.c
_PENDING = _COLUMN.done_at.is_(None) & ~_COLUMN.unreadable
_UNCLAIMED: dict[str, None] = {"claimed_by": None, "claimed_since": None}

_THIS = _COLUMN.update_id == bindparam("this")
_OURS = _COLUMN.claimed_by == bindparam("process")
_LEFT_TO_US = _COLUMN.claimed_by.is_(None) | _OURS


class Claimed(NamedTuple):
    update_id: int
    payload: dict[str, Any] | None
    received_at: datetime
    held_at: datetime | None


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
    values = {"update_id": update_id, "payload": payload, "user_id": user_id, "received_at": now}
    return await session.scalar(_added(session), values | {"attempts": 0}) is not None


@prepared
def _added(insert: InsertInto) -> UpdateBase:
    return insert(_TABLE).on_conflict_do_nothing().returning(_COLUMN.update_id)


async def pending(session: AsyncSession) -> list[Update]:
    """The updates still to be handled, in the order in which they came."""
    waiting = select(Update).where(_PENDING)
    return list(await session.scalars(waiting.order_by(_COLUMN.received_at, _COLUMN.update_id)))


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
) -> list[Claimed]:
    """Claim up to `most` pending updates for a process; in the order of arrival.

    What one sender has waiting is in the hands of one process at a time, at most `each` of it
    besides what is `paused` there. Senders take turns: who has a thousand waiting gets no more than
    who has one. Without models a process leaves out what is `held`.
    """
    if is_postgresql(session):
        # Otherwise two may choose at once, and each get a part of what a sender has waiting.
        await session.execute(select(func.pg_advisory_xact_lock(*_CLAIMS)))
    asked = {"process": process, "each": each, "paused": paused, "most": most, "now": now}
    rows = [Claimed(*row) for row in await session.execute(_claimed(held), asked)]
    return sorted(rows, key=lambda row: (row.received_at, row.update_id))


@cache
def _claimed(held: bool) -> Updating:
    chosen = _in_turn(held).limit(bindparam("most", type_=Integer))
    # A row that another transaction is about to change, as an erasure, is no reason to wait.
    free = select(_COLUMN.update_id).where(_COLUMN.update_id.in_(chosen), _PENDING)
    return (
        update(_TABLE)
        .where(_COLUMN.update_id.in_(free.with_for_update(skip_locked=True)))
        .values(claimed_by=bindparam("process"), claimed_since=bindparam("now"))
        .returning(*(_COLUMN[name] for name in Claimed._fields))
    )


async def claimable(
    session: AsyncSession,
    process: str,
    *,
    each: int,
    paused: Collection[int] = (),
    held: bool = True,
) -> int:
    """How many updates a process may claim now, at most `each` of one sender."""
    asked = {"process": process, "each": each, "paused": paused}
    return await session.scalar(_counted(held), asked) or 0


@cache
def _counted(held: bool) -> Select[int]:
    return select(func.count()).select_from(_in_turn(held).subquery())


def _in_turn(held: bool) -> Select[tuple[int]]:
    """The ids of the updates that a process may claim, whose turn is next first.

    Of `process`, with at most `each` of one sender besides those `paused`.
    """
    is_paused = _COLUMN.update_id.in_(bindparam("paused", expanding=True))
    taken = (
        select(
            _COLUMN.user_id,
            func.sum(case((is_paused, 0), else_=1)).label("in_hand"),
            func.max(case((_OURS, 0), else_=1)).label("elsewhere"),
        )
        .where(_COLUMN.claimed_by.is_not(None), _PENDING)
        .group_by(_COLUMN.user_id)
        .cte("taken")
    )
    sender = func.coalesce(_COLUMN.user_id, -_COLUMN.update_id)  # nobody's are each on their own
    order = (_COLUMN.received_at, _COLUMN.update_id)
    turn = func.row_number().over(partition_by=sender, order_by=order)
    free = _PENDING & _COLUMN.claimed_by.is_(None)
    if not held:
        free &= _COLUMN.held_at.is_(None)
    waiting = (
        select(
            _COLUMN.update_id,
            _COLUMN.received_at,
            (turn + func.coalesce(taken.c.in_hand, 0)).label("turn"),
        )
        .outerjoin(taken, taken.c.user_id == _COLUMN.user_id)
        .where(free, func.coalesce(taken.c.elsewhere, 0) == 0)
        .cte("waiting")
    )
    return (
        select(waiting.c.update_id)
        .where(waiting.c.turn <= bindparam("each", type_=Integer))
        .order_by(waiting.c.turn, waiting.c.received_at, waiting.c.update_id)
    )


async def pending_of(session: AsyncSession, user_id: int) -> list[dict[str, Any]]:
    """The payloads of a user's updates still to be handled, in the order in which they came."""
    waiting = select(_COLUMN.payload).where(_COLUMN.user_id == user_id, _PENDING)
    ordered = waiting.order_by(_COLUMN.received_at, _COLUMN.update_id)
    return [payload for payload in await session.scalars(ordered) if payload is not None]


async def waiting(session: AsyncSession) -> int:
    """How many updates are still to be handled, in all processes together."""
    return await session.scalar(select(func.count()).select_from(_TABLE).where(_PENDING)) or 0


async def start(session: AsyncSession, update_id: int, process: str) -> int:
    """Count an attempt at an update; which attempt it is, 0 if it is not the process's any more.

    Commit it before the attempt: the number shows an update that kills the process each time.
    """
    return await session.scalar(_STARTED, {"this": update_id, "process": process}) or 0


_STARTED = (
    update(_TABLE)
    .where(_THIS, _OURS, _PENDING)
    .values(attempts=_COLUMN.attempts + 1)
    .returning(_COLUMN.attempts)
)


async def is_claimed(session: AsyncSession, update_id: int, process: str) -> bool:
    """Whether an update is still to be handled by this process: after its user's erasure it is not.

    The answer holds until the transaction ends, so its results can be stored in that.
    """
    asked = {"this": update_id, "process": process}
    return await session.scalar(_CLAIMED, asked) is not None


# Locked, so that PostgreSQL lets nobody erase it before the commit; SQLite has one writer.
_CLAIMED = select(_COLUMN.update_id).where(_THIS, _OURS, _PENDING).with_for_update()


async def hold(
    session: AsyncSession, update_ids: Collection[int], process: str, now: datetime
) -> None:
    """Leave updates that this process has begun to one that has models; no attempt was made."""
    attempts = case((_COLUMN.attempts > 0, _COLUMN.attempts - 1), else_=0)
    begun = update(_TABLE).where(_COLUMN.update_id.in_(update_ids), _LEFT_TO_US, _PENDING)
    held = begun.values(held_at=now, attempts=attempts, **_UNCLAIMED)
    await session.execute(held, {"process": process})


async def is_any_held(session: AsyncSession, user_id: int) -> bool:
    """Whether a user, who knows it then, has updates that wait for models."""
    held = select(_COLUMN.update_id).where(
        _COLUMN.user_id == user_id, _COLUMN.held_at.is_not(None), _PENDING
    )
    return await session.scalar(held.limit(1)) is not None


async def set_aside(session: AsyncSession, update_id: int) -> None:
    """Keep an update that no handler can use, and try it no more."""
    aside = update(_TABLE).where(_COLUMN.update_id == update_id, _PENDING)
    await session.execute(aside.values(unreadable=True, **_UNCLAIMED))


async def is_pending(session: AsyncSession, update_id: int) -> bool:
    """Whether an update is still to be handled, by whichever process."""
    waiting = select(_COLUMN.update_id).where(_COLUMN.update_id == update_id, _PENDING)
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
    asked = {"these": update_ids, "now": now} | ({"process": process} if process else {})
    await session.execute(_DONE if process is None else _DONE_BY_US, asked)


_DONE = (
    update(_TABLE)
    .where(_COLUMN.update_id.in_(bindparam("these", expanding=True)), _PENDING)
    .values(done_at=bindparam("now"), payload=None, user_id=None, **_UNCLAIMED)
)
_DONE_BY_US = _DONE.where(_LEFT_TO_US)


async def delete_old(session: AsyncSession, now: datetime) -> int:
    """Delete what is not pending and came longer ago than KEPT; how many updates that were."""
    old = delete(_TABLE).where(~_PENDING, _COLUMN.received_at < now - KEPT)
    return len((await session.scalars(old.returning(_COLUMN.update_id))).all())
