"""What admins say of the ratings that users gave; what follows from it is in counting.py."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.counting import on_its_judgement
from db.models import Feedback, Judgement, Review


class Standing(NamedTuple):
    feedback: Feedback
    judgement: Judgement | None  # the one that stands


async def by_author(session: AsyncSession, review_id: int) -> Standing | None:
    """The author's rating of a review, locked until the transaction ends; None if there is none."""
    own = (
        select(Feedback)
        .join(Review, Review.id == Feedback.review_id)
        .where(Review.id == review_id, Feedback.user_id == Review.user_id)
    )
    feedback = await session.scalar(own.with_for_update(of=Feedback))
    if feedback is None:
        return None
    # Asked for once the rating is locked: whoever had it before may have judged.
    return (await of(session, [feedback.id]))[0]


async def of(session: AsyncSession, feedback_ids: Collection[int]) -> list[Standing]:
    """These ratings, locked, with what stands of each."""
    chosen = Feedback.id.in_(feedback_ids)
    await session.execute(select(Feedback.id).where(chosen).order_by(Feedback.id).with_for_update())
    rows = await session.execute(
        select(Feedback, Judgement).outerjoin(Judgement, on_its_judgement()).where(chosen)
    )
    return [Standing(feedback, judgement) for feedback, judgement in rows]


async def add(
    session: AsyncSession,
    judged: Collection[tuple[Standing, int | None]],
    action_id: int,
    now: datetime,
) -> None:
    """Say the true rating of each; None where the user's is wrong and the true one unknown."""
    for standing, _ in judged:
        if standing.judgement is not None:
            standing.judgement.stands = False
    await session.flush()  # before the new ones: of each rating one stands at a time
    session.add_all(
        Judgement(
            feedback_id=feedback.id,
            action_id=action_id,
            rating=rating,
            given=feedback.rating,
            previous_id=None if previous is None else previous.id,
            created_at=now,
        )
        for (feedback, previous), rating in judged
    )
    await session.flush()


async def take_back(session: AsyncSession, action_id: int) -> int:
    """Undo what an action said, where that stands; of how many ratings.

    What it replaced stands again.
    """
    standing = list(
        await session.scalars(
            select(Judgement).where(Judgement.action_id == action_id, Judgement.stands)
        )
    )
    # Locked in the same order as a judgement locks them.
    await of(session, [judgement.feedback_id for judgement in standing])
    taken = list(
        await session.scalars(
            update(Judgement)
            .where(Judgement.action_id == action_id, Judgement.stands)
            .values(stands=False)
            .returning(Judgement.previous_id)
        )
    )
    previous = [each for each in taken if each is not None]
    await session.execute(update(Judgement).where(Judgement.id.in_(previous)).values(stands=True))
    return len(taken)


async def is_known(session: AsyncSession, action_id: int) -> bool:
    """Whether a rating that the action judged is still stored."""
    return bool(await session.scalar(select(exists().where(Judgement.action_id == action_id))))
