"""Hears when another process has put updates into the inbox: PostgreSQL's LISTEN."""

import asyncio
from collections.abc import Callable

from sqlalchemy.ext.asyncio import AsyncEngine

from db.updates import CHANNEL


async def listen(engine: AsyncEngine, process: str, heard: Callable[[], None]) -> None:
    """Call `heard` for what others announce, and at the beginning, until the connection is lost.

    SQLite has no such thing: there it returns at once.
    """
    if engine.dialect.name != "postgresql":
        return
    lost = asyncio.Event()

    def on_announcement(_connection: object, _pid: int, _channel: str, by: str) -> None:
        if by != process:
            heard()

    async with engine.connect() as connection:
        try:
            driver = (await connection.get_raw_connection()).driver_connection
            assert driver is not None
            driver.add_termination_listener(lambda _: lost.set())
            await driver.add_listener(CHANNEL, on_announcement)
            heard()
            await lost.wait()
        finally:
            await connection.invalidate()  # nobody else is to get it from the pool
