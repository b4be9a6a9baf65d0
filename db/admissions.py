"""What the limits remember, for all processes together."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.engine import insert
from db.models import Admissions


async def state(session: AsyncSession, limited: str) -> dict[str, Any]:
    """What was stored last; {} where nothing is, or is needed no more."""
    found = await session.scalar(select(Admissions.state).filter_by(limited=limited))
    return found or {}


async def store(
    session: AsyncSession, limited: str, state: dict[str, Any], needed_until: datetime
) -> None:
    values = {"state": state, "needed_until": needed_until}
    new = insert(session, Admissions).values(limited=limited, **values)
    await session.execute(
        new.on_conflict_do_update(index_elements=[Admissions.limited], set_=values)
    )


async def delete_old(session: AsyncSession, now: datetime) -> None:
    """Delete what is needed no more."""
    await session.execute(delete(Admissions).where(Admissions.needed_until < now))
