"""What this installation has one of: a secret, drawn once, and the champion that answers."""

import secrets

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.engine import insert
from db.models import Installation

_BYTES = 32


async def secret(session: AsyncSession) -> bytes:
    """The secret; drawn by whichever process asks first."""
    new = insert(session, Installation).values(id=1, secret=secrets.token_bytes(_BYTES))
    await session.execute(new.on_conflict_do_nothing())
    return await session.scalar(select(Installation.secret)) or b""


async def champion(session: AsyncSession) -> str | None:
    """The version that a process said last to have taken into use."""
    return await session.scalar(select(Installation.champion))


async def note_champion(session: AsyncSession, version: str) -> None:
    """Tell the other processes which version answers now."""
    await secret(session)  # there is a row
    await session.execute(update(Installation).values(champion=version))
