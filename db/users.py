"""The users who have written to the bot, and whether it may still write to them."""

from datetime import datetime

from sqlalchemy import UpdateBase, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.engine import InsertInto, prepared, table_of
from db.models import User

_TABLE = table_of(User)
_SEEN_AGAIN = ("language", "is_active", "last_seen_at")


async def seen(session: AsyncSession, user_id: int, language: str, now: datetime) -> None:
    """Note that the user has written, in this language; they may be new, or inactive before."""
    values = {"id": user_id, "language": language, "created_at": now, "last_seen_at": now}
    await session.execute(_seen(session), values | {"is_active": True})


@prepared
def _seen(insert: InsertInto) -> UpdateBase:
    new = insert(_TABLE)
    again = {name: new.excluded[name] for name in _SEEN_AGAIN}
    return new.on_conflict_do_update(index_elements=[_TABLE.c.id], set_=again)


async def deactivate(session: AsyncSession, user_id: int) -> None:
    """Note that the user has blocked the bot: nothing is sent to them until they write again."""
    await session.execute(update(User).where(User.id == user_id).values(is_active=False))


async def language(session: AsyncSession, user_id: int) -> str | None:
    """The IETF tag of the language that the user's Telegram speaks; None for one not stored."""
    return await session.scalar(select(User.language).where(User.id == user_id))
