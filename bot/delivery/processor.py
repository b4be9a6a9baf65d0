"""The handling of updates: a bounded number at once, tried again where it failed for a while."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from telegram import Update
from telegram.error import BadRequest, InvalidToken, NetworkError, RetryAfter
from telegram.ext import BaseUpdateProcessor

from bot.delivery.inbox import HeldError, Inbox
from bot.delivery.outgoing import seconds_of
from bot.delivery.shares import Shares
from bot.delivery.transactions import database_away, pause_before
from db import updates

MAX_ATTEMPTS = 10
"""An update that was being handled at this many kills is likely what kills the process.

Not fewer: a kill from outside counts for every update that is being handled.
"""

MAX_RETRIES = 1500
"""With the pauses this is a day, as long as Telegram itself would keep the update."""

_NO_LIMIT = 1_000_000
"""Of the places that PTB knows: it gives them by order of arrival, to whoever sends most."""

logger = logging.getLogger(__name__)


def can_wait(error: Exception) -> bool:
    """Whether an update that failed with this is tried again.

    Telegram or the database is away, or there are no models yet.
    """
    if isinstance(error, BadRequest):  # a NetworkError by name only
        return False
    # InvalidToken: a revoked token stops the program, and the next one may answer.
    passes = isinstance(error, NetworkError | RetryAfter | InvalidToken | HeldError)
    return passes or database_away(error)


def pause_after(error: Exception, retry: int) -> float:
    """Seconds to wait after an error that `can_wait`, before the first, second … retry."""
    return seconds_of(error) if isinstance(error, RetryAfter) else pause_before(retry)


class InboxProcessor(BaseUpdateProcessor):
    """Runs handlers, a bounded number at once, and notes in the inbox what they have done."""

    def __init__(
        self,
        shares: Shares,
        inbox: Inbox,
        apologise: Callable[[Update], Awaitable[None]],
    ) -> None:
        """`apologise` tells the chat that its update can't be handled."""
        super().__init__(_NO_LIMIT)
        self._shares = shares
        self._inbox = inbox
        self._transactions = inbox.transactions
        self._apologise = apologise
        self._in_hand: set[asyncio.Task[Any]] = set()
        self._begins_in_order = asyncio.Lock()
        self._retries: dict[int, int] = {}  # of updates that failed in this process
        self._timers: set[asyncio.TimerHandle] = set()
        self._stopping = False

    async def initialize(self) -> None:
        self._stopping = False

    async def shutdown(self) -> None:
        """Nothing: `finish` has stopped it."""

    async def finish(self, seconds: float) -> None:
        """Start no more updates, and give those in hand some time before they are cancelled.

        What is not finished stays in the inbox for the next start.
        """
        self._stopping = True
        for timer in self._timers:
            timer.cancel()
        if self._in_hand:
            _, late = await asyncio.wait(self._in_hand, timeout=seconds)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)
                logger.warning("stopped before updates were done", extra={"updates": len(late)})

    def drop(self) -> None:
        """Handle nothing further of what is in hand: this process has lost its claims."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self._retries.clear()
        for task in self._in_hand:
            task.cancel()
        self._inbox.forget()

    async def do_process_update(self, update: object, coroutine: Awaitable[Any]) -> None:
        if not isinstance(update, Update):
            await coroutine
            return
        task = asyncio.current_task()
        assert task is not None
        self._in_hand.add(task)
        try:
            async with self._shares.place(_person(update)):
                await self._inbox.wait_for_earlier(update.update_id)
                if await self._begin(update):
                    await self._handle(update, coroutine)
        finally:
            self._in_hand.discard(task)
            self._inbox.end(update.update_id)
            if asyncio.iscoroutine(coroutine):  # one never awaited would make Python warn
                coroutine.close()

    async def _begin(self, update: Update) -> bool:
        """Whether the update is to be handled now."""
        # In order: otherwise they race for the database, and the second part of a split text may
        # reach its handler first and be taken for a review.
        async with self._begins_in_order:
            attempt = 0 if self._stopping else await self._count_attempt(update.update_id)
        if attempt > MAX_ATTEMPTS:
            await self._give_up(update, "the process died each time")
        return 1 <= attempt <= MAX_ATTEMPTS

    async def _count_attempt(self, update_id: int) -> int:
        """Which attempt at the update this is; 0 if none is due: its user may be erased."""
        process = self._inbox.lease.process
        if update_id not in self._retries:
            attempt = await self._transactions.run(
                lambda each: updates.start(each, update_id, process)
            )
            if attempt == 1:
                self._inbox.begin_first(update_id)
            return attempt
        if await self._transactions.run(lambda each: updates.is_claimed(each, update_id, process)):
            return 1  # no kill since it was counted
        del self._retries[update_id]
        return 0

    async def _handle(self, update: Update, coroutine: Awaitable[Any]) -> None:
        try:
            await coroutine
        except HeldError:
            self._retries.pop(update.update_id, None)
        except Exception as error:
            if not can_wait(error):
                raise
            retry = self._retries.get(update.update_id, 0) + 1
            if retry > MAX_RETRIES:
                await self._give_up(update, "Telegram or the database was away for a day")
            else:
                self._try_again(update, retry, error)
        else:
            await self._mark_done(update)

    def _try_again(self, update: Update, retry: int, error: Exception) -> None:
        self._retries[update.update_id] = retry
        pause = pause_after(error, retry)
        facts = {"update_id": update.update_id, "retry": retry, "pause": pause}
        kind = type(error).__name__
        logger.warning("update is tried again later", extra={**facts, "error": kind})

        def put_again() -> None:
            self._timers.discard(timer)
            self._inbox.paused.discard(update.update_id)
            self._inbox.in_hand.add(update.update_id)
            self._inbox.queue.put_nowait(update)

        timer = asyncio.get_running_loop().call_later(pause, put_again)
        self._timers.add(timer)
        self._inbox.paused.add(update.update_id)

    async def _give_up(self, update: Update, reason: str) -> None:
        logger.error("update given up", extra={"update_id": update.update_id, "reason": reason})
        await self._mark_done(update)  # first: the apology may be what kills
        await self._apologise(update)

    async def _mark_done(self, update: Update) -> None:
        self._retries.pop(update.update_id, None)
        if not self._inbox.is_noted(update.update_id):
            await self._inbox.mark_done([update.update_id])


def _person(update: Update) -> int:
    """Who sent an update; anonymous admins, who share a user, are told apart by their group."""
    sender = update.effective_sender or update.effective_chat
    # PTB takes any value for an id.
    return sender.id if sender and isinstance(sender.id, int) else 0
