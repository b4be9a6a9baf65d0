"""The reviews with what was predicted of them."""

from sqlalchemy import Select, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from db.models import Review


async def add(session: AsyncSession, review: Review) -> bool:
    """Log a review with its predictions; False, and nothing is logged, if its update was before.

    Raises IntegrityError for anything else that the database refuses, a user erased meanwhile
    among it.
    """
    try:
        async with session.begin_nested():
            session.add(review)
    except IntegrityError:
        if await by_update(session, review.update_id) is None:
            raise
        return False
    return True


async def set_reply(session: AsyncSession, review_id: int, reply_message_id: int) -> None:
    """Note which message answers a review; nothing happens if it was erased meanwhile."""
    await session.execute(
        update(Review).where(Review.id == review_id).values(reply_message_id=reply_message_id)
    )


async def get(session: AsyncSession, review_id: int) -> Review | None:
    """A review with its predictions and feedback."""
    return await session.scalar(_whole().where(Review.id == review_id))


async def by_update(session: AsyncSession, update_id: int) -> Review | None:
    """The review that came with an update, with its predictions and feedback."""
    return await session.scalar(_whole().where(Review.update_id == update_id))


async def latest_of_message(session: AsyncSession, chat_id: int, message_id: int) -> Review | None:
    """The newest review of a message, which may have been edited, with predictions and feedback."""
    of_message = _whole().where(Review.chat_id == chat_id, Review.message_id == message_id)
    return await session.scalar(of_message.order_by(Review.id.desc()).limit(1))


async def last_of_user(session: AsyncSession, user_id: int, limit: int) -> list[Review]:
    """A user's last reviews, newest first, with their predictions and feedback."""
    of_user = _whole().where(Review.user_id == user_id)
    return list(await session.scalars(of_user.order_by(Review.id.desc()).limit(limit)))


def _whole() -> Select[Review]:
    return select(Review).options(selectinload(Review.predictions), selectinload(Review.feedback))
