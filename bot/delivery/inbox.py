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
from typing import Never

from sqlalchemy.ext.asyncio import AsyncSession
from telegram import Bot

from bot.clock import Clock
from bot.delivery.lease import Lease
from bot.delivery.raw_updates import RawUpdate, UnreadableError, raw_update, read
from bot.delivery.transactions import Transactions
from db import updates

MOST_PAUSED = 1000
"""Updates that are to be tried again later; with more than that, no others are claimed."""

SECONDS_TO_ARRIVE = 2.0
"""From a claim to the models; what takes longer, as a wait for parts does, holds up no claim."""

logger = logging.getLogger(__name__)


class HeldError(Exception):
    """An update waits in the inbox until there are models."""


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
        self.unclaimed = 0  # after the last claim, of those that could have been claimed too
        self.in_hand: set[int] = set()  # claimed, queued or being handled
        self._fresh: dict[int, float] = {}  # of them, and since when: it is not known how long for
        self.paused: set[int] = set()  # claimed, to be tried again later
        self._senders: dict[int, int | None] = {}  # of what is in hand or paused
        self._first: set[int] = set()  # of what is in hand: nobody has handled it before
        self._done: set[int] = set()  # noted so by their handlers, which have not returned yet
        self._were_held: set[int] = set()  # of what is in hand or paused: there were no models
        self._ended = asyncio.Event()  # one of those in hand has
        self.has_models: Callable[[], bool] = lambda: True  # held updates are left to who has them
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

        async def choose(session: AsyncSession) -> tuple[list[RawUpdate], set[int], int]:
            process, paused, has_models = self.lease.process, self.paused, self.has_models()
            chosen = await updates.claim(
                session,
                process,
                self.clock(),
                most=most,
                each=each,
                paused=paused,
                held=has_models,
            )
            held = {row.update_id for row in chosen if row.held_at is not None}
            left = 0
            if len(chosen) == most:
                left = await updates.claimable(
                    session, process, each=each, paused=paused, held=has_models
                )
            return [RawUpdate(row.update_id, row.payload or {}) for row in chosen], held, left

        claimed, held, self.unclaimed = await self.transactions.once(choose)
        self._were_held |= held
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

    async def hold(self, update_ids: Sequence[int]) -> Never:
        """Keep updates until there are models; raises HeldError, by which their handlers end."""
        process, now = self.lease.process, self.clock()
        await self.transactions.run(lambda each: updates.hold(each, update_ids, process, now))
        if self.has_models():  # by now: whoever woke the claims for them has not seen this one
            self.changed.set()
        raise HeldError

    def was_held(self, update_id: int) -> bool:
        """Whether an update in hand has waited for models: then its sender was within the limit."""
        return update_id in self._were_held

    async def wait_for_earlier(self, update_id: int) -> None:
        """Let what one person sent before there were models be answered in that order."""
        while self._is_behind(update_id):
            self._ended.clear()
            await self._ended.wait()

    def _is_behind(self, update_id: int) -> bool:
        sender = self._senders.get(update_id)
        if sender is None or update_id not in self._were_held:
            return False
        held = self._were_held & self.in_hand
        return any(one < update_id and self._senders.get(one) == sender for one in held)

    @property
    def arriving(self) -> int:
        """How many of those in hand may be reviews that have yet to come before the models."""
        since = time.monotonic() - SECONDS_TO_ARRIVE
        return sum(claimed > since for claimed in self._fresh.values())

    def arrived(self, update_id: int) -> None:
        """Note that an update is a review, which waits for the models from now on."""
        self._fresh.pop(update_id, None)

    def begin_first(self, update_id: int) -> None:
        """Note that this is the first attempt at an update, ever."""
        self._first.add(update_id)

    def is_first(self, update_id: int) -> bool:
        """Whether it is known that no earlier attempt at an update can have left anything."""
        return update_id in self._first

    def is_only_one(self, update_id: int) -> bool:
        """Whether it is known that its sender has no other update to be handled before it."""
        sender = self._senders.get(update_id)
        of_sender = [one for one, theirs in self._senders.items() if theirs == sender]
        return sender is not None and of_sender == [update_id] and not self.is_noted(update_id)

    def end(self, update_id: int) -> None:
        """Note that an update is in hand no more, so that there is room for others."""
        self.in_hand.discard(update_id)
        self._first.discard(update_id)
        self._fresh.pop(update_id, None)
        self._done.discard(update_id)
        if update_id not in self.paused:
            self._senders.pop(update_id, None)
            self._were_held.discard(update_id)
        self._ended.set()
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
        self._were_held.clear()
        self.paused.clear()
        self._senders.clear()
        self._first.clear()
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
            if new and self.lease.processes > 1:  # one that has just started looks by itself
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
            self._were_held.discard(raw.update_id)
            self._tell_unreadable("update can't be read: kept and skipped", raw, str(error))
            await self.transactions.run(lambda each: updates.set_aside(each, raw.update_id))
        else:
            self.in_hand.add(raw.update_id)
            self._senders[raw.update_id] = raw.user_id
            self._fresh[raw.update_id] = time.monotonic()
            self.queue.put_nowait(update)

    def _tell_unreadable(self, event: str, raw: RawUpdate, why: str) -> None:
        facts = {"update_id": raw.update_id, "kind": raw.kind, "why": why}
        logger.warning(event, extra=facts)
        self._on_unreadable(raw.kind)
