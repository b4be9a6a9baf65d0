"""What the limits remember, for all processes together."""

from datetime import datetime
from typing import Any

from sqlalchemy import UpdateBase, bindparam, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.engine import InsertInto, prepared, table_of
from db.models import Admissions

_TABLE = table_of(Admissions)
_STATE = select(_TABLE.c.state).where(_TABLE.c.limited == bindparam("limited"))


async def state(session: AsyncSession, limited: str) -> dict[str, Any]:
    """What was stored last; {} where nothing is, or is needed no more."""
    return await session.scalar(_STATE, {"limited": limited}) or {}


async def store(
    session: AsyncSession, limited: str, state: dict[str, Any], needed_until: datetime
) -> None:
    values = {"limited": limited, "state": state, "needed_until": needed_until}
    await session.execute(_stored(session), values)


@prepared
def _stored(insert: InsertInto) -> UpdateBase:
    new = insert(_TABLE)
    values = {name: new.excluded[name] for name in ("state", "needed_until")}
    return new.on_conflict_do_update(index_elements=[_TABLE.c.limited], set_=values)


async def delete_old(session: AsyncSession, now: datetime) -> None:
    """Delete what is needed no more."""
    await session.execute(delete(Admissions).where(Admissions.needed_until < now))
