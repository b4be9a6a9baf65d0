"""What the admins did, and what was done in their name; when."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import AdminAction


async def add(
    session: AsyncSession,
    admin_id: int | None,
    action: str,
    now: datetime,
    details: dict[str, Any] | None = None,
) -> None:
    """Log an action, such as "promote", with what it was done to; None is the bot itself."""
    session.add(AdminAction(admin_id=admin_id, action=action, details=details, created_at=now))
    await session.flush()


async def latest(session: AsyncSession, actions: Collection[str]) -> AdminAction | None:
    """The newest of these actions, whoever did it."""
    of_these = select(AdminAction).where(AdminAction.action.in_(actions))
    return await session.scalar(of_these.order_by(AdminAction.id.desc()).limit(1))
