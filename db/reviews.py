"""The reviews with their predictions."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import UpdateBase, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload
from sqlalchemy.orm.attributes import set_committed_value

from db.engine import InsertInto, prepared, table_of
from db.models import Prediction, Review

_TABLE = table_of(Review)
_PREDICTED = sa.insert(table_of(Prediction))
_REPLIED = (
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("this"))
    .values(reply_message_id=bindparam("message"))
)


async def add(session: AsyncSession, review: Review) -> bool:
    """Store a review with its predictions; False, and nothing is stored, if its update has one.

    Raises IntegrityError for anything else that the database refuses, such as a user who was
    erased meanwhile.
    """
    review_id = await session.scalar(_added(session), _columns_of(review))
    if review_id is None:
        return False
    set_committed_value(review, "id", review_id)
    if review.predictions:
        rows = [_columns_of(one) | {"review_id": review_id} for one in review.predictions]
        await session.execute(_PREDICTED, rows)
    return True


@prepared
def _added(insert: InsertInto) -> UpdateBase:
    once = insert(_TABLE).on_conflict_do_nothing(index_elements=[_TABLE.c.update_id])
    return once.returning(_TABLE.c.id)


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
    await session.execute(_REPLIED, {"this": review_id, "message": reply_message_id})


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
