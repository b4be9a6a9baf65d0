"""Long polling, and whether it is alive: PTB's own loop can end, or hang, without a word."""

import asyncio
import contextlib
import logging
import time
from http import HTTPStatus
from typing import Any, NoReturn

from telegram.error import TelegramError
from telegram.ext import Updater
from telegram.request import HTTPXRequest

from bot.delivery.inbox import ALLOWED_UPDATES
from bot.errors import BotError

CONFLICTS = 3
"""This many refusals in a row mean another poller; one may be left by a process that was killed.

Telegram refuses the two in turn. One that has fetched before waits for twice as many, so that the
newcomer is the one that stops.
"""

SILENCE = 120.0
"""Seconds in which no poll has ended, well or not; a poll lasts 10 and its timeouts add 20."""

REFUSED_TOKEN = "Telegram refused TELEGRAM_TOKEN: take the token from @BotFather again."

logger = logging.getLogger(__name__)


class Pulse:
    """When a poll last ended, and why there can be no next one."""

    def __init__(self) -> None:
        self.last_poll = time.monotonic()
        self._conflicts = 0
        self._patience = CONFLICTS
        self._obstacle = ""
        self._stopped = asyncio.Event()

    def beat(self, status: int | None) -> None:
        """Note that a poll has ended, with this HTTP status or without any."""
        self.last_poll = time.monotonic()
        self._conflicts = self._conflicts + 1 if status == HTTPStatus.CONFLICT else 0
        if status == HTTPStatus.OK:
            self._patience = 2 * CONFLICTS
        elif self._conflicts >= self._patience:
            self._stop(
                "Another program fetches this bot's updates: stop it, or give this one another"
                " TELEGRAM_TOKEN."
            )
        elif status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND):
            self._stop(REFUSED_TOKEN)

    async def watch(self) -> NoReturn:
        """Wait, and raise BotError once polling can't go on."""
        self.last_poll = time.monotonic()
        while (left := self.last_poll + SILENCE - time.monotonic()) > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), left)
                raise BotError(self._obstacle)
        raise BotError("Fetching updates has hung: start the bot again.")

    def _stop(self, obstacle: str) -> None:
        self._obstacle = obstacle
        self._stopped.set()


class PollingRequest(HTTPXRequest):
    """The requests of `getUpdates`; the end of each poll is a beat of the pulse."""

    def __init__(self, pulse: Pulse, **options: Any) -> None:
        super().__init__(**options)
        self._pulse = pulse

    async def do_request(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        try:
            status, body = await super().do_request(*args, **kwargs)
        except TelegramError:
            self._pulse.beat(None)
            raise
        self._pulse.beat(status)
        return status, body


async def start_polling(updater: Updater) -> None:
    """Begin to fetch updates; what fails later is logged and tried again."""
    await updater.start_polling(
        bootstrap_retries=-1,
        allowed_updates=ALLOWED_UPDATES,
        drop_pending_updates=False,
        error_callback=lambda error: log_failure("fetching updates failed", error),
    )


def log_failure(event: str, error: Exception) -> None:
    logger.warning(event, extra={"error": f"{type(error).__name__}: {error}"})
