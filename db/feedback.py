"""The true ratings that users give."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.engine import insert
from db.models import Feedback, FeedbackHistory, Review


class Given(NamedTuple):
    review_id: int
    user_id: int
    rating: int  # 0 to 10
    asked: bool  # the bot asked for it at random
    held_out: bool  # for evaluation only


async def rate(session: AsyncSession, given: Given, now: datetime) -> Feedback | None:
    """Store a user's rating of a review; returns what is stored, None if there is no review.

    A later rating replaces the earlier one, which stays in the history. `asked` and `held_out`
    stay as they were first: a changed rating must not move a row into the training data. What an
    admin has said of the earlier one stands (db/counting.py), until an admin takes it back.
    """
    # Locked, so that PostgreSQL can't erase it before the commit; SQLite has one writer anyway.
    review = select(Review.id).where(Review.id == given.review_id)
    if await session.scalar(review.with_for_update(key_share=True)) is None:
        return None
    new = insert(session, Feedback).values(**given._asdict(), created_at=now, updated_at=now)
    changed = await session.scalar(
        new.on_conflict_do_update(
            index_elements=[Feedback.review_id, Feedback.user_id],
            set_={"rating": given.rating, "updated_at": now},
            where=Feedback.rating != given.rating,
        ).returning(Feedback.id)
    )
    if changed is not None:
        session.add(FeedbackHistory(feedback_id=changed, rating=given.rating, created_at=now))
        await session.flush()
    stored = select(Feedback).filter_by(review_id=given.review_id, user_id=given.user_id)
    return await session.scalar(stored.execution_options(populate_existing=True))
