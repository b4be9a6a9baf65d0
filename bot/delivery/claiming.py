"""The loop that brings updates from the database to the handlers, as long as there is room."""

import asyncio
import logging
from collections.abc import Callable
from typing import NoReturn

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine
from telegram import Bot

from bot.clock import is_set_within
from bot.delivery.inbox import MOST_PAUSED, Inbox
from db.bell import listen

SECONDS_BETWEEN_LOOKS = 2.0
"""Nobody may have announced what is there: a process that has received it may be dead."""

AT_ONCE = 16
"""Claimed together at most, so that other processes get as much; a batch of the models."""

FEWEST = 8
"""Room for so many is waited for: to claim them one by one costs the database more."""

_PAUSE = 1.0  # seconds, after a failure

logger = logging.getLogger(__name__)


class Claiming:
    def __init__(self, inbox: Inbox, *, most: int, each: int, is_busy: Callable[[], bool]) -> None:
        """`most`: updates in hand at once, `each` of them of one sender.

        `is_busy`: whether there is enough to do, so that others had better claim what is there.
        """
        self._inbox = inbox
        self._most, self._each = most, each
        self._is_busy = is_busy
        self._taken_for_dead = False  # by another process, which took what was claimed here

    async def run(self, bot: Bot, engine: AsyncEngine) -> NoReturn:
        """Claim until cancelled."""
        listening = asyncio.create_task(self._listen(engine), name="listening")
        try:
            while True:
                if not await self._claim(bot):
                    await is_set_within(self._inbox.changed, SECONDS_BETWEEN_LOOKS)
        finally:
            listening.cancel()
            await asyncio.wait({listening})

    async def _claim(self, bot: Bot) -> bool:
        """Whether there may be more that can be claimed now."""
        self._inbox.changed.clear()
        self._inbox.is_all_claimed = False
        room = min(AT_ONCE, self._most - len(self._inbox.in_hand))
        if room < FEWEST or self._is_busy() or len(self._inbox.paused) >= MOST_PAUSED:
            return False
        if not self._inbox.lease.is_held:
            return False
        try:
            if self._taken_for_dead:
                await self._inbox.lease.begin_again()
                self._taken_for_dead = False
            claimed = await self._inbox.claim(bot, room, self._each)
        except Exception as error:  # whatever it is: nobody else makes another try
            logger.warning("nothing can be claimed", extra={"error": type(error).__name__})
            await asyncio.sleep(_PAUSE)
            self._taken_for_dead = self._taken_for_dead or isinstance(error, IntegrityError)
            return True
        # With fewer in hand nobody can have more than a share.
        self._inbox.is_all_claimed = claimed < room and len(self._inbox.in_hand) < self._each
        return claimed == room

    async def _listen(self, engine: AsyncEngine) -> None:
        is_told = False
        while engine.dialect.name == "postgresql":
            try:
                await listen(engine, self._inbox.lease.process, self._inbox.changed.set)
                is_told = False
            except Exception as error:  # the database is away; meanwhile it is looked into
                if not is_told:
                    logger.warning("can't listen", extra={"error": type(error).__name__})
                is_told = True
            await asyncio.sleep(_PAUSE)
