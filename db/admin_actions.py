"""The record of what the admins and the bot itself did, and when."""

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
) -> AdminAction:
    """Record an action, such as "promote", with what it changed; without `admin_id`, of the bot."""
    row = AdminAction(admin_id=admin_id, action=action, details=details, created_at=now)
    session.add(row)
    await session.flush()
    return row


async def latest(session: AsyncSession, actions: Collection[str]) -> AdminAction | None:
    """The newest of these actions, of any admin or of the bot."""
    of_these = select(AdminAction).where(AdminAction.action.in_(actions))
    return await session.scalar(of_these.order_by(AdminAction.id.desc()).limit(1))
