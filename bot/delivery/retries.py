"""What follows a failed request for updates: a pause, or the end where going on is in vain."""

import asyncio
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from telegram import Bot
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError

from bot.delivery.outgoing import seconds_of
from bot.delivery.transactions import pause_before
from bot.errors import BotError

CONFLICTS = 3
"""This many refusals in a row mean another poller; one may be left by a process that was killed.

Telegram refuses the two in turn. One that has fetched before waits for twice as many, so that the
newcomer is the one that stops.
"""

LONGEST_PAUSE = 30.0  # seconds
PAUSE_OF_TOKEN = 2.0  # seconds between the two questions whether the token is good

REFUSED_TOKEN = "Telegram refused TELEGRAM_TOKEN: take the token from @BotFather again."
ANOTHER_POLLER = (
    "Another program fetches this bot's updates: stop it, or give this one another TELEGRAM_TOKEN."
)

logger = logging.getLogger(__name__)


class Pulse:
    """Whether updates come in: what /healthz shows."""

    def __init__(self) -> None:
        self.fetching = False  # polling, or listening to the webhook
        self.is_standing_by = False  # another process polls, and this one answers
        self.last_good = time.monotonic()  # when Telegram last gave a valid answer
        self.trouble = ""  # the kind of the last error, as long as there was no valid answer since

    @contextmanager
    def beating(self) -> Iterator[None]:
        """While updates are fetched."""
        self.fetching, self.last_good = True, time.monotonic()
        try:
            yield
        finally:
            self.fetching = False

    def good(self) -> None:
        self.last_good, self.trouble = time.monotonic(), ""


class Retries:
    """Counts the failures of one request that is made again and again."""

    def __init__(self, bot: Bot, pulse: Pulse, event: str, patience: int = CONFLICTS) -> None:
        """`event` is logged for each failure; so many conflicts in a row are too many."""
        self._bot, self._pulse, self._event = bot, pulse, event
        self._failures = self._conflicts = 0
        self._patience = patience

    def succeeded(self) -> None:
        self._pulse.good()
        self._failures = self._conflicts = 0
        self._patience = 2 * CONFLICTS

    async def failed(self, error: Exception) -> None:
        """Wait until it is time for another try; raises BotError where none can help."""
        self._failures += 1
        self._conflicts = self._conflicts + 1 if isinstance(error, Conflict) else 0
        self._pulse.trouble = type(error).__name__
        log_failure(self._event, error)
        if self._conflicts >= self._patience:
            raise BotError(ANOTHER_POLLER)
        if isinstance(error, InvalidToken):
            await check_token(self._bot)
        pause = min(pause_before(self._failures), LONGEST_PAUSE)
        if isinstance(error, RetryAfter):
            pause = max(pause, seconds_of(error))
        await asyncio.sleep(pause)


async def check_token(bot: Bot) -> None:
    """Raise BotError if Telegram refuses the token twice: one refusal may be a proxy's 404."""
    for pause in (PAUSE_OF_TOKEN, 0.0):
        try:
            await bot.get_me()
        except InvalidToken:
            await asyncio.sleep(pause)
        except TelegramError:
            return
        else:
            return
    raise BotError(REFUSED_TOKEN)


def log_failure(event: str, error: Exception) -> None:
    logger.warning(event, extra={"error": f"{type(error).__name__}: {error}"})
