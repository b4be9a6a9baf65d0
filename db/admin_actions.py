"""What the admins did, and when."""

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from db.models import AdminAction


async def add(
    session: AsyncSession,
    admin_id: int,
    action: str,
    now: datetime,
    details: dict[str, Any] | None = None,
) -> None:
    """Log an action, such as "promote", with what it was done to."""
    session.add(AdminAction(admin_id=admin_id, action=action, details=details, created_at=now))
    await session.flush()
