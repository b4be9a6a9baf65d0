"""Everything that belongs to a user: exported as it is stored, or erased."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Text, cast, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, selectinload

from db import wiping
from db.models import AdminAction, Base, Feedback, FeedbackHistory, Prediction, Review, Update, User

_PAGE = 100  # rows: the event loop is busy with them for some milliseconds


async def export(session: AsyncSession, user_id: int) -> AsyncIterator[tuple[str, Any]]:
    """All that is stored about a user, ready for JSON; times are ISO 8601 in UTC.

    The user's own row comes first, None if there is none; then each table's rows, a list at a time
    and at least one, so that a user may have more than fits into memory.
    """
    user = await session.get(User, user_id)
    yield "user", None if user is None else _columns(user)
    tables = [
        ("reviews", Review.user_id, Review.id, Review.predictions),
        ("feedback", Feedback.user_id, Feedback.id, Feedback.history),
        ("updates", Update.user_id, Update.update_id, None),
        ("admin_actions", AdminAction.admin_id, AdminAction.id, None),
    ]
    for name, owner, key, children in tables:
        async for rows in _pages(session, owner == user_id, key, children):
            yield name, rows


async def _pages(
    session: AsyncSession,
    theirs: ColumnElement[bool],
    key: InstrumentedAttribute[int],
    children: InstrumentedAttribute[Any] | None,
) -> AsyncIterator[list[dict[str, Any]]]:
    """A table's rows in the order of their keys, each with its rows of another table."""
    chosen = select(key.class_).where(theirs).order_by(key).limit(_PAGE)
    if children is not None:
        chosen = chosen.options(selectinload(children))
    found = list(await session.scalars(chosen))
    yield [_whole(row, children) for row in found]
    while len(found) == _PAGE:
        last = getattr(found[-1], key.key)
        session.expunge_all()
        found = list(await session.scalars(chosen.where(key > last)))
        yield [_whole(row, children) for row in found]


async def erase(session: AsyncSession, user_id: int, now: datetime) -> dict[str, int]:
    """Erase a user with all that is theirs; returns how many rows of each table that were.

    Feedback that others gave on the user's reviews is erased with the reviews. Of the user's
    updates only the ids stay: Telegram may deliver them again. So it is with unreadable ones that
    name the user anywhere. What the user did as an admin stays on record, without their id.

    SQLite's files hold remains until they are wiped (db/wiping.py).
    """
    theirs = select(Review.id).where(Review.user_id == user_id)
    on_theirs = Feedback.review_id.in_(theirs)
    given = select(Feedback.id).where((Feedback.user_id == user_id) | on_theirs)
    counts = {
        "users": select(func.count()).where(User.id == user_id),
        "reviews": select(func.count()).where(Review.user_id == user_id),
        "predictions": select(func.count()).where(Prediction.review_id.in_(theirs)),
        "feedback": select(func.count()).select_from(given.subquery()),
        "feedback_history": select(func.count()).where(FeedbackHistory.feedback_id.in_(given)),
        "updates": select(func.count()).where(Update.user_id == user_id),
        "admin_actions": select(func.count()).where(AdminAction.admin_id == user_id),
    }
    erased = {table: await session.scalar(count) or 0 for table, count in counts.items()}
    names_them = Update.unreadable & cast(Update.payload, Text).contains(str(user_id))
    await session.execute(
        update(Update)
        .where((Update.user_id == user_id) | names_them)
        .values(user_id=None, payload=None, done_at=func.coalesce(Update.done_at, now))
    )
    await session.execute(delete(User).where(User.id == user_id))  # the rest cascades
    await wiping.order(session)
    return erased


def _whole(row: Base, children: InstrumentedAttribute[Any] | None) -> dict[str, Any]:
    if children is None:
        return _columns(row)
    return _columns(row) | {children.key: [_columns(one) for one in getattr(row, children.key)]}


def _columns(row: Base) -> dict[str, Any]:
    return {column.key: _json(getattr(row, column.key)) for column in row.__table__.columns}


def _json(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
