"""The durable update queue: what Telegram delivered is on disk until it is handled.

PTB confirms an update to Telegram as soon as it is in the queue, so a killed process would lose
the updates it had fetched. Here `put` returns once the update is in the database, and a start
replays what is pending there. Handlers may therefore see an update again, after a kill or when
Telegram could not be reached: each is idempotent by update id.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from telegram import Bot, Update
from telegram.error import BadRequest, InvalidToken, NetworkError, RetryAfter
from telegram.ext import BaseUpdateProcessor

from bot.clock import Clock
from bot.delivery.outgoing import seconds_of
from bot.delivery.transactions import Transactions, database_away, pause_before
from db import updates

ALLOWED_UPDATES = (
    Update.MESSAGE,
    Update.EDITED_MESSAGE,
    Update.CALLBACK_QUERY,
    Update.MY_CHAT_MEMBER,
)
"""The kinds of updates that Telegram is asked for."""

MAX_ATTEMPTS = 10
"""An update that was being handled at this many kills is likely what kills the process.

Not fewer: a kill from outside counts for every update that is being handled.
"""

MAX_RETRIES = 1500
"""With the pauses this is a day, as long as Telegram itself would keep the update."""

logger = logging.getLogger(__name__)


def can_wait(error: Exception) -> bool:
    """Whether an update that failed with this is tried again: Telegram or the database is away."""
    if isinstance(error, BadRequest):  # a NetworkError by name only
        return False
    # InvalidToken: a revoked token stops the program, and the next one may answer.
    return isinstance(error, NetworkError | RetryAfter | InvalidToken) or database_away(error)


class InboxQueue(asyncio.Queue[object]):
    """PTB's update queue, with the database behind it."""

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        super().__init__()
        self.transactions = transactions
        self.clock = clock

    async def put(self, item: object) -> None:
        """Store an update, then queue it; one that was stored before is dropped.

        PTB's signal to stop comes this way too and is only queued.
        """
        if isinstance(item, Update) and not await self._store(item):
            return
        self.put_nowait(item)

    async def replay(self, bot: Bot) -> int:
        """Queue what an earlier process left pending; how many updates that are."""
        pending = await self.transactions.run(updates.pending)
        for row in pending:
            assert row.payload is not None  # the schema keeps it until the update is done
            self.put_nowait(Update.de_json(row.payload, bot))
        return len(pending)

    async def _store(self, update: Update) -> bool:
        user = update.effective_user

        async def add(session: AsyncSession) -> bool:
            payload = update.to_dict()
            user_id = None if user is None else user.id
            return await updates.add(session, update.update_id, payload, user_id, self.clock())

        new = await self.transactions.run(add)
        event = "update received" if new else "update seen before"
        logger.info(event, extra={"update_id": update.update_id})
        return new


class InboxProcessor(BaseUpdateProcessor):
    """Runs handlers, a bounded number at once, and notes in the inbox what they have done."""

    def __init__(
        self,
        max_concurrent_updates: int,
        queue: InboxQueue,
        apologise: Callable[[Update], Awaitable[None]],
    ) -> None:
        """`apologise` tells the chat that its update can't be handled."""
        super().__init__(max_concurrent_updates)
        self._queue = queue
        self._transactions = queue.transactions
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

    async def do_process_update(self, update: object, coroutine: Awaitable[Any]) -> None:
        if not isinstance(update, Update):
            await coroutine
            return
        task = asyncio.current_task()
        assert task is not None
        self._in_hand.add(task)
        try:
            if await self._begin(update):
                await self._handle(update, coroutine)
        finally:
            self._in_hand.discard(task)
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
        if update_id not in self._retries:
            return await self._transactions.run(lambda each: updates.start(each, update_id))
        if await self._transactions.run(lambda each: updates.is_pending(each, update_id)):
            return 1  # no kill since it was counted
        del self._retries[update_id]
        return 0

    async def _handle(self, update: Update, coroutine: Awaitable[Any]) -> None:
        try:
            await coroutine
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
        pause = seconds_of(error) if isinstance(error, RetryAfter) else pause_before(retry)
        facts = {"update_id": update.update_id, "retry": retry, "pause": pause}
        kind = type(error).__name__
        logger.warning("update is tried again later", extra={**facts, "error": kind})

        def put_again() -> None:
            self._timers.discard(timer)
            self._queue.put_nowait(update)

        timer = asyncio.get_running_loop().call_later(pause, put_again)
        self._timers.add(timer)

    async def _give_up(self, update: Update, reason: str) -> None:
        logger.error("update given up", extra={"update_id": update.update_id, "reason": reason})
        await self._mark_done(update)  # first: the apology may be what kills
        await self._apologise(update)

    async def _mark_done(self, update: Update) -> None:
        self._retries.pop(update.update_id, None)
        await self._transactions.run(
            lambda session: updates.mark_done(session, [update.update_id], self._queue.clock())
        )
