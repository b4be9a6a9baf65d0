"""The users who have written to the bot, and whether it may still write to them."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.engine import insert
from db.models import User


async def seen(session: AsyncSession, user_id: int, language: str, now: datetime) -> None:
    """Note that the user has written, in this language; they may be new, or inactive before."""
    new = insert(session, User).values(
        id=user_id, language=language, is_active=True, created_at=now, last_seen_at=now
    )
    await session.execute(
        new.on_conflict_do_update(
            index_elements=[User.id],
            set_={"language": language, "is_active": True, "last_seen_at": now},
        )
    )


async def deactivate(session: AsyncSession, user_id: int) -> None:
    """Note that the user has blocked the bot: nothing is sent to them until they write again."""
    await session.execute(update(User).where(User.id == user_id).values(is_active=False))


async def language(session: AsyncSession, user_id: int) -> str | None:
    """The IETF tag of the language that the user's Telegram speaks; None for one not stored."""
    return await session.scalar(select(User.language).where(User.id == user_id))
