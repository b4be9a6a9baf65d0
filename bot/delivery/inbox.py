"""The durable update queue: what Telegram delivered is on disk until it is handled.

`receive` returns once the updates are in the database, and only then may Telegram forget them. From
there each process claims as many as it has room for, those also that others have received, or left
when they died. Handlers may therefore see an update again, after a kill or when Telegram could not
be reached: each is idempotent by update id.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from telegram import Bot, Update
from telegram.error import BadRequest, InvalidToken, NetworkError, RetryAfter
from telegram.ext import BaseUpdateProcessor

from bot.clock import Clock
from bot.delivery.lease import Lease
from bot.delivery.outgoing import seconds_of
from bot.delivery.raw_updates import RawUpdate, UnreadableError, raw_update, read
from bot.delivery.shares import Shares
from bot.delivery.transactions import Transactions, database_away, pause_before
from db import updates

MAX_ATTEMPTS = 10
"""An update that was being handled at this many kills is likely what kills the process.

Not fewer: a kill from outside counts for every update that is being handled.
"""

MAX_RETRIES = 1500
"""With the pauses this is a day, as long as Telegram itself would keep the update."""

MOST_PAUSED = 1000
"""Updates that are to be tried again later; with more than that, no others are claimed."""

SECONDS_TO_ARRIVE = 2.0
"""From a claim to the models; what takes longer, as a wait for parts does, holds up no claim."""

_NO_LIMIT = 1_000_000
"""Of the places that PTB knows: it gives them by order of arrival, to whoever sends most."""

logger = logging.getLogger(__name__)


def can_wait(error: Exception) -> bool:
    """Whether an update that failed with this is tried again: Telegram or the database is away."""
    if isinstance(error, BadRequest):  # a NetworkError by name only
        return False
    # InvalidToken: a revoked token stops the program, and the next one may answer.
    return isinstance(error, NetworkError | RetryAfter | InvalidToken) or database_away(error)


class Inbox:
    """PTB's update queue, with the database before it."""

    def __init__(
        self,
        transactions: Transactions,
        lease: Lease,
        clock: Clock,
        on_unreadable: Callable[[str], None],
    ) -> None:
        """`on_unreadable` is told the kind of each update that no handler can use."""
        self.queue: asyncio.Queue[object] = asyncio.Queue()
        self.transactions = transactions
        self.lease = lease
        self.clock = clock
        self.changed = asyncio.Event()  # there may be updates to claim, or room for them
        self.is_all_claimed = False  # as far as is known: then more room changes nothing
        self.in_hand: set[int] = set()  # claimed, queued or being handled
        self._fresh: dict[int, float] = {}  # of them, and since when: it is not known how long for
        self.paused: set[int] = set()  # claimed, to be tried again later
        self._done: set[int] = set()  # noted so by their handlers, which have not returned yet
        self._on_unreadable = on_unreadable

    async def receive(self, items: Sequence[object]) -> None:
        """Store updates as Telegram wrote them; those seen before are dropped.

        Nothing that an update holds makes it raise, or costs another update.
        """
        raws = [raw for item in items if (raw := raw_update(item))]
        for _ in range(len(items) - len(raws)):
            logger.warning("something without an update id was delivered")
            self._on_unreadable("unknown")
        if await self._store(raws):
            self.changed.set()

    async def claim(self, bot: Bot, most: int, each: int) -> int:
        """Claim up to `most` updates, `each` of one sender, and queue them; how many they were."""

        async def choose(session: AsyncSession) -> list[RawUpdate]:
            chosen = await updates.claim(
                session,
                self.lease.process,
                self.clock(),
                most=most,
                each=each,
                paused=self.paused,
            )
            return [RawUpdate(row.update_id, row.payload or {}) for row in chosen]

        claimed = await self.transactions.once(choose)
        for raw in claimed:
            await self._enqueue(raw, bot)
        return len(claimed)

    async def mark_done(
        self,
        update_ids: Sequence[int],
        also: Callable[[AsyncSession], Awaitable[None]] | None = None,
    ) -> None:
        """Note that updates are handled; what `also` does is stored with it, or nothing is.

        Without it, what others have claimed meanwhile is left to them. The database may be away for
        a while: it is waited for.
        """

        async def note(session: AsyncSession) -> None:
            owner: str | None = self.lease.process
            if also is not None:
                await also(session)
                owner = None
            await updates.mark_done(session, update_ids, self.clock(), owner)

        await self.transactions.run(note)
        self._done |= self.in_hand.intersection(update_ids)

    @property
    def arriving(self) -> int:
        """How many of those in hand may be reviews that have yet to come before the models."""
        since = time.monotonic() - SECONDS_TO_ARRIVE
        return sum(claimed > since for claimed in self._fresh.values())

    def arrived(self, update_id: int) -> None:
        """Note that an update is a review, which waits for the models from now on."""
        self._fresh.pop(update_id, None)

    def end(self, update_id: int) -> None:
        """Note that an update is in hand no more, so that there is room for others."""
        self.in_hand.discard(update_id)
        self._fresh.pop(update_id, None)
        self._done.discard(update_id)
        self.has_room()

    def has_room(self) -> None:
        """Have others claimed, if there are any."""
        if not self.is_all_claimed:
            self.changed.set()

    def is_noted(self, update_id: int) -> bool:
        """Whether it is known to be done; otherwise the database may know it."""
        return update_id in self._done

    def forget(self) -> None:
        """Others have what was claimed here: what is queued is not handled."""
        self.in_hand.clear()
        self._fresh.clear()
        self.paused.clear()
        while not self.queue.empty():
            self.queue.get_nowait()
            self.queue.task_done()

    async def _store(self, raws: list[RawUpdate]) -> list[RawUpdate]:
        """Those that are new, once all are committed."""

        async def add(session: AsyncSession) -> list[RawUpdate]:
            now = self.clock()
            new = [
                raw
                for raw in raws
                if await updates.add(session, raw.update_id, raw.payload, raw.user_id, now)
            ]
            if new:
                await updates.announce(session, self.lease.process)
            return new

        try:
            new = await self.transactions.run(add)
        except Exception as error:  # not the database's absence, which is waited out
            if len(raws) == 1:
                self._tell_unreadable("update can't be stored", raws[0], type(error).__name__)
                return []
            return [raw for each in raws for raw in await self._store([each])]
        stored = {raw.update_id for raw in new}
        for raw in raws:
            event = "update received" if raw.update_id in stored else "update seen before"
            logger.info(event, extra={"update_id": raw.update_id})
        return new

    async def _enqueue(self, raw: RawUpdate, bot: Bot) -> None:
        try:
            update = read(raw, bot)
        except UnreadableError as error:
            self._tell_unreadable("update can't be read: kept and skipped", raw, str(error))
            await self.transactions.run(lambda each: updates.set_aside(each, raw.update_id))
        else:
            self.in_hand.add(raw.update_id)
            self._fresh[raw.update_id] = time.monotonic()
            self.queue.put_nowait(update)

    def _tell_unreadable(self, event: str, raw: RawUpdate, why: str) -> None:
        facts = {"update_id": raw.update_id, "kind": raw.kind, "why": why}
        logger.warning(event, extra=facts)
        self._on_unreadable(raw.kind)


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
            return await self._transactions.run(
                lambda each: updates.start(each, update_id, process)
            )
        if await self._transactions.run(lambda each: updates.is_claimed(each, update_id, process)):
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
