"""The reviews with their predictions."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload
from sqlalchemy.orm.attributes import set_committed_value

from db.engine import UNSYNCHRONIZED, insert
from db.models import Prediction, Review


async def add(session: AsyncSession, review: Review) -> bool:
    """Store a review with its predictions; False, and nothing is stored, if its update has one.

    Raises IntegrityError for anything else that the database refuses, such as a user who was
    erased meanwhile.
    """
    # Not through the session, which takes four times as long (measured).
    new = insert(session, Review).values(_columns_of(review))
    stored = new.on_conflict_do_nothing(index_elements=[Review.update_id]).returning(Review.id)
    review_id = await session.scalar(stored)
    if review_id is None:
        return False
    set_committed_value(review, "id", review_id)
    if review.predictions:
        rows = [_columns_of(one) | {"review_id": review_id} for one in review.predictions]
        await session.execute(sa.insert(Prediction), rows)
    return True


async def asked_last(session: AsyncSession, user_id: int) -> bool:
    """Whether the answer to the user's newest review asks for its rating."""
    newest = select(Review.asked_for).filter_by(user_id=user_id).order_by(Review.id.desc())
    return await session.scalar(newest.limit(1)) is not None


async def asked_since(session: AsyncSession, user_id: int, asked_for: str, since: datetime) -> bool:
    """Whether the answer to a review that the user has sent since then asked for its rating so."""
    asked = select(Review.id).filter_by(user_id=user_id, asked_for=asked_for)
    return await session.scalar(asked.where(Review.created_at > since).limit(1)) is not None


def _columns_of(row: Review | Prediction) -> dict[str, Any]:
    names = row.__table__.columns.keys()
    return {name: getattr(row, name) for name in names if name not in ("id", "review_id")}


async def set_reply(session: AsyncSession, review_id: int, reply_message_id: int) -> None:
    """Note which message answers a review; nothing happens if it was erased meanwhile."""
    answered = update(Review).where(Review.id == review_id)
    noted = answered.values(reply_message_id=reply_message_id)
    await session.execute(noted.execution_options(**UNSYNCHRONIZED))


async def move_chat(session: AsyncSession, old: int, new: int) -> None:
    """Give the reviews of a chat its new id.

    The new chat numbers its messages anew: the old numbers become negative, so that none of them
    is taken for a new message's.
    """
    moved = {
        "message_id": -func.abs(Review.message_id),
        "reply_message_id": -func.abs(Review.reply_message_id),
    }
    await session.execute(update(Review).where(Review.chat_id == old).values(chat_id=new, **moved))


async def find(session: AsyncSession, **columns: int) -> Review | None:
    """The newest review with these values in its columns, with its predictions and feedback."""
    return next(iter(await last(session, 1, **columns)), None)


async def last(session: AsyncSession, limit: int, **columns: int) -> list[Review]:
    """As `find`, the newest ones first."""
    found = await session.scalars(
        select(Review)
        .options(selectinload(Review.predictions), selectinload(Review.feedback))
        .filter_by(**columns)
        .order_by(Review.id.desc())
        .limit(limit)
    )
    return list(found)
