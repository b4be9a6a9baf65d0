"""Everything that belongs to a user: exported as it is stored, or erased."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Text, cast, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from db import wiping
from db.counting import counted_of
from db.engine import Sessions
from db.models import (
    AdminAction,
    Feedback,
    FeedbackHistory,
    Judgement,
    Prediction,
    Review,
    Update,
    User,
)

_PAGE = 100  # rows: the event loop is busy with them for some milliseconds

Row = dict[str, Any]
Column = InstrumentedAttribute[Any]


async def export(sessions: Sessions, user_id: int) -> AsyncIterator[tuple[str, Any]]:
    """All that is stored about a user, ready for JSON; times are ISO 8601 in UTC.

    The user's own row comes first, None if there is none; then each table's rows, a list at a time
    and at least one, so that a user may have more than fits into memory. Each list is read in a
    transaction of its own: a long one would keep the log from being emptied.
    """
    of_feedback = {"history": FeedbackHistory.feedback_id, "judgements": Judgement.feedback_id}
    tables: list[tuple[str, Column, Column, dict[str, Column]]] = [
        ("user", User.id, User.id, {}),
        ("reviews", Review.user_id, Review.id, {"predictions": Prediction.review_id}),
        ("feedback", Feedback.user_id, Feedback.id, of_feedback),
        ("updates", Update.user_id, Update.update_id, {}),
        ("admin_actions", AdminAction.admin_id, AdminAction.id, {}),
    ]
    for name, owner, key, children in tables:
        last: int | None = None
        rows: list[Row] = []
        while last is None or len(rows) == _PAGE:
            after = owner == user_id if last is None else (owner == user_id) & (key > last)
            async with sessions() as session:
                rows = await _rows(session, key, after)
                for child, parent in children.items():
                    await _add_children(session, rows, child, parent)
                if name == "feedback":
                    await _add_what_counts(session, rows)
            yield name, (next(iter(rows), None) if name == "user" else rows)
            last = rows[-1][key.key] if rows else 0


async def _rows(session: AsyncSession, key: Column, chosen: ColumnElement[bool]) -> list[Row]:
    """A table's rows in the order of their keys; not as objects, which would take ten times as
    long."""
    columns = key.class_.__table__.columns
    found = await session.execute(select(*columns).where(chosen).order_by(key).limit(_PAGE))
    return [{name: _json(value) for name, value in row.items()} for row in found.mappings()]


async def _add_what_counts(session: AsyncSession, rows: list[Row]) -> None:
    counts = await counted_of(session, [row["id"] for row in rows])
    for row in rows:
        row["counts_as"] = counts[row["id"]]


async def _add_children(session: AsyncSession, rows: list[Row], name: str, parent: Column) -> None:
    """Give each row the rows of another table that name it as their `parent`."""
    by_id: dict[Any, list[Row]] = {row["id"]: row.setdefault(name, []) for row in rows}
    columns = parent.class_.__table__.columns
    chosen = select(*columns).where(parent.in_(by_id)).order_by(parent.class_.id)
    for child in (await session.execute(chosen)).mappings():
        by_id[child[parent.key]].append({key: _json(value) for key, value in child.items()})


async def erase(session: AsyncSession, user_id: int, now: datetime) -> dict[str, int]:
    """Erase a user with all that is theirs; returns how many rows of each table that were.

    Feedback that others gave on the user's reviews is erased with the reviews, and what admins
    said of it; the record of their actions has nothing but numbers of ratings. Of the user's
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
        "judgements": select(func.count()).where(Judgement.feedback_id.in_(given)),
        "updates": select(func.count()).where(Update.user_id == user_id),
        "admin_actions": select(func.count()).where(AdminAction.admin_id == user_id),
    }
    erased = {table: await session.scalar(count) or 0 for table, count in counts.items()}
    names_them = Update.unreadable & cast(Update.payload, Text).contains(str(user_id))
    await session.execute(
        update(Update)
        .where((Update.user_id == user_id) | names_them)
        .values(
            user_id=None,
            payload=None,
            done_at=func.coalesce(Update.done_at, now),
            claimed_by=None,
            claimed_since=None,
        )
    )
    await session.execute(delete(User).where(User.id == user_id))  # the rest cascades
    await wiping.order(session)
    return erased


def _json(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
