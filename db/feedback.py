"""The true ratings that users give."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.engine import insert
from db.models import Feedback, FeedbackHistory, Review


async def rate(
    session: AsyncSession,
    review_id: int,
    user_id: int,
    rating: int,
    *,
    asked: bool,
    held_out: bool,
    now: datetime,
) -> Feedback | None:
    """Store the user's rating (0 to 10) of a review; what is stored, None if there is no review.

    A later rating replaces the earlier one, which stays in the history. `asked` and `held_out`
    stay as they were on arrival: a change of mind must not move a row into the training data.
    """
    # Locked, so that PostgreSQL can't erase it before the commit; SQLite has one writer anyway.
    review = select(Review.id).where(Review.id == review_id).with_for_update(key_share=True)
    if await session.scalar(review) is None:
        return None
    new = insert(session, Feedback).values(
        review_id=review_id,
        user_id=user_id,
        rating=rating,
        asked=asked,
        held_out=held_out,
        created_at=now,
        updated_at=now,
    )
    changed = await session.scalar(
        new.on_conflict_do_update(
            index_elements=[Feedback.review_id, Feedback.user_id],
            set_={"rating": rating, "updated_at": now},
            where=Feedback.rating != rating,
        ).returning(Feedback.id)
    )
    if changed is not None:
        session.add(FeedbackHistory(feedback_id=changed, rating=rating, created_at=now))
        await session.flush()
    stored = select(Feedback).where(Feedback.review_id == review_id, Feedback.user_id == user_id)
    return await session.scalar(stored.execution_options(populate_existing=True))
