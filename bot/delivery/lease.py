"""This process's right to the updates that it has claimed, which it renews while it works."""

import asyncio
import logging
import os
import secrets
import socket
import time
from collections.abc import Callable
from typing import NoReturn

from sqlalchemy.ext.asyncio import AsyncSession
from telegram.error import NetworkError

from bot.clock import Clock
from bot.delivery.transactions import Transactions
from db import processes, updates
from db.processes import LEASE, Renewed

SECONDS_BETWEEN = 2.0
SECONDS_TO_ANSWER = 4.0
"""For the database; then the next try gets another connection."""

_MARGIN = 1.0  # seconds, in which a call to Telegram is made

logger = logging.getLogger(__name__)


class LeaseLostError(NetworkError):
    """Others may have taken what this process had claimed. Like a network's, it passes."""


class Lease:
    """One process has as many of them as it has bots: in the tests several, otherwise one."""

    def __init__(self, transactions: Transactions, clock: Clock, *, is_shared: bool) -> None:
        """`is_shared`: other processes may be at work on the database."""
        self.process = f"{socket.gethostname()[:50]}:{os.getpid()}:{secrets.token_hex(2)}"
        self.processes = 1  # alive, this one included
        self.on_lost: Callable[[], None] = lambda: None
        self.on_freed: Callable[[], None] = lambda: None  # there is something to claim
        self.on_change: Callable[[], None] = lambda: None  # of the number of processes
        self._transactions, self._clock = transactions, clock
        self._is_shared = is_shared
        self._ends_at = 0.0

    @property
    def is_held(self) -> bool:
        return not self._is_shared or time.monotonic() < self._ends_at - _MARGIN

    def check(self) -> None:
        """Raises LeaseLostError where another process may answer in place of this one."""
        if not self.is_held:
            raise LeaseLostError("the database could not be told that this process is alive")

    async def begin(self) -> None:
        await self._transactions.run(lambda each: processes.join(each, self.process, self._clock()))
        self._ends_at = time.monotonic() + LEASE.total_seconds()
        if self._is_shared:
            await self._renew()

    async def begin_again(self) -> None:
        """Join the others anew: nothing is claimed here any more."""
        self.on_lost()
        await self.end()
        await self.begin()

    async def keep(self) -> NoReturn:
        """Renew it until cancelled; `on_lost` is told where it had run out."""
        while True:
            await asyncio.sleep(SECONDS_BETWEEN)
            if not self._is_shared:
                continue
            try:
                async with asyncio.timeout(SECONDS_TO_ANSWER):
                    await self._renew()
            except Exception as error:  # whatever it is, the next try may do
                kind = type(error).__name__
                logger.warning("the lease can't be renewed", extra={"error": kind})

    async def end(self) -> None:
        """Let others have at once what is claimed here. Raises nothing: the lease runs out."""

        async def leave(session: AsyncSession) -> None:
            await processes.leave(session, self.process)
            await updates.announce(session, self.process)

        self._ends_at = 0.0
        try:
            async with asyncio.timeout(SECONDS_TO_ANSWER):
                await self._transactions.once(leave)
        except Exception as error:
            logger.warning("the lease can't be ended", extra={"error": type(error).__name__})

    async def _renew(self) -> None:
        begun = time.monotonic()
        renewed = await self._transactions.once(self._renew_and_announce)
        self._ends_at = begun + LEASE.total_seconds()
        if not renewed.was_alive:
            logger.error("the lease had run out: others take what was claimed here")
            self.on_lost()
        if renewed.dead:
            self.on_freed()
        if renewed.alive != self.processes:
            self.processes = renewed.alive
            logger.info("processes", extra={"alive": renewed.alive})
            self.on_change()

    async def _renew_and_announce(self, session: AsyncSession) -> Renewed:
        renewed = await processes.renew(session, self.process, self._clock())
        if renewed.dead:
            logger.warning("processes are dead", extra={"processes": renewed.dead})
            await updates.announce(session, self.process)
        return renewed
