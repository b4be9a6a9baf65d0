"""Which ratings count, and as what: one place for figures, the gate, retraining and exports.

A rating counts as its user gave it, until an admin judges it: then as the admin says, or not at
all. It stays so when the user changes the rating later.
"""

from collections.abc import Collection

from sqlalchemy import ColumnElement, and_, case, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from db.models import Feedback, Judgement


def counts_as() -> ColumnElement[int | None]:
    """The rating that counts, None if none does; of Feedback outer-joined `on_its_judgement`."""
    return case((Judgement.id.is_(None), Feedback.rating), else_=Judgement.rating)


def on_its_judgement() -> ColumnElement[bool]:
    return and_(Judgement.feedback_id == Feedback.id, Judgement.stands)


def counted() -> type[Feedback]:
    """What counts, for queries to join in place of Feedback; `rating` is the one that counts."""
    columns = [column for column in Feedback.__table__.columns if column.name != "rating"]
    ratings = (
        select(*columns, counts_as().label("rating"))
        .outerjoin(Judgement, on_its_judgement())
        .where(or_(Judgement.id.is_(None), Judgement.rating.is_not(None)))
    )
    return aliased(Feedback, ratings.subquery(), adapt_on_names=True)


async def counted_of(session: AsyncSession, feedback_ids: Collection[int]) -> dict[int, int | None]:
    """As what each of these counts, by their ids; None for one that does not."""
    ratings = (
        select(Feedback.id, counts_as())
        .outerjoin(Judgement, on_its_judgement())
        .where(Feedback.id.in_(feedback_ids))
    )
    return {row[0]: row[1] for row in await session.execute(ratings)}
