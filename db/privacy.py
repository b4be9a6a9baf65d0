"""Everything that belongs to a user: exported as it is stored, or erased."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from db.models import AdminAction, Base, Feedback, FeedbackHistory, Prediction, Review, Update, User


async def export(session: AsyncSession, user_id: int) -> dict[str, Any]:
    """All that is stored about a user, ready for JSON; times are ISO 8601 in UTC."""
    user = await session.get(User, user_id)
    reviews = select(Review).options(selectinload(Review.predictions)).order_by(Review.id)
    given = select(Feedback).options(selectinload(Feedback.history)).order_by(Feedback.id)
    inbox = select(Update).order_by(Update.received_at)
    actions = select(AdminAction).order_by(AdminAction.id)
    return {
        "user": None if user is None else _columns(user),
        "reviews": [
            _columns(review) | {"predictions": list(map(_columns, review.predictions))}
            for review in await session.scalars(reviews.where(Review.user_id == user_id))
        ],
        "feedback": [
            _columns(row) | {"history": list(map(_columns, row.history))}
            for row in await session.scalars(given.where(Feedback.user_id == user_id))
        ],
        "updates": list(
            map(_columns, await session.scalars(inbox.where(Update.user_id == user_id)))
        ),
        "admin_actions": list(
            map(_columns, await session.scalars(actions.where(AdminAction.admin_id == user_id)))
        ),
    }


async def erase(session: AsyncSession, user_id: int, now: datetime) -> dict[str, int]:
    """Erase a user with all that is theirs; how many rows of each table that were.

    Feedback that others gave on the user's reviews goes with the reviews. The user's updates
    leave the inbox, pending or not, except for their bare ids: Telegram may deliver them again.
    What the user did as an admin stays on record, without saying who did it.
    """
    theirs = select(Review.id).where(Review.user_id == user_id)
    given = select(Feedback.id).where(
        (Feedback.user_id == user_id) | Feedback.review_id.in_(theirs)
    )
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
    await session.execute(
        update(Update)
        .where(Update.user_id == user_id)
        .values(user_id=None, payload=None, done_at=func.coalesce(Update.done_at, now))
    )
    await session.execute(delete(User).where(User.id == user_id))  # the rest cascades
    return erased


def _columns(row: Base) -> dict[str, Any]:
    return {column.key: _json(getattr(row, column.key)) for column in row.__table__.columns}


def _json(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
