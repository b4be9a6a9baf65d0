"""What is random to this installation, and stays the same for as long as its database."""

import secrets

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.engine import insert
from db.models import Installation

_BYTES = 32


async def secret(session: AsyncSession) -> bytes:
    """The secret; drawn by whichever process asks first."""
    new = insert(session, Installation).values(id=1, secret=secrets.token_bytes(_BYTES))
    await session.execute(new.on_conflict_do_nothing())
    return await session.scalar(select(Installation.secret)) or b""
