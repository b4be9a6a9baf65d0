"""An update is on disk before Telegram may forget it, and stays until it has been dealt with."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, StatementError
from sqlalchemy.ext.asyncio import AsyncSession
from telegram import Bot, Update
from telegram.error import (
    BadRequest,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from bot.delivery.inbox import Inbox
from bot.delivery.processor import MAX_ATTEMPTS, InboxProcessor, can_wait
from bot.delivery.raw_updates import Json
from bot.delivery.shares import Shares
from bot.delivery.transactions import Transactions, pause_before
from bot.local.server import LOCAL_TOKEN, LocalServer
from db import models as rows
from db import privacy, updates
from db.engine import Sessions
from tests.bot.conftest import RunningBot
from tests.bot.inboxes import inbox_on
from tests.bot.local_client import Person, chat_client, control

pytestmark = pytest.mark.anyio

REVIEW = "Скучнейший фильм года, зря потратил вечер и деньги на билет."
BOT = Bot(LOCAL_TOKEN)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def new_update(update_id: int, user_id: int = 1001, text: str = REVIEW) -> Json:
    user = {"id": user_id, "is_bot": False, "first_name": "Аня", "language_code": "ru"}
    message = {
        "message_id": update_id,
        "date": 1_770_000_000,
        "chat": {"id": user_id, "type": "private", "first_name": "Аня"},
        "from": user,
        "text": text,
    }
    return {"update_id": update_id, "message": message}


async def new_inbox(write: Sessions, unreadable: list[str] | None = None) -> Inbox:
    """One that notes the kinds of the updates that it can't read."""
    noted = [] if unreadable is None else unreadable
    return await inbox_on(write, noted.append)


@pytest.fixture
async def inbox(write: Sessions) -> Inbox:
    return await new_inbox(write)


async def queued(inbox: Inbox) -> list[int]:
    """Claim what there is, and take the ids of what is queued then."""
    await inbox.claim(BOT, 100, 100)
    taken = [inbox.queue.get_nowait() for _ in range(inbox.queue.qsize())]
    return [each.update_id for each in taken if isinstance(each, Update)]


Handler = Callable[[Update], object]


class Workshop:
    """A processor whose handler is the test's, fed from the queue as PTB does it."""

    def __init__(self, inbox: Inbox, write: Sessions) -> None:
        self.inbox = inbox
        self.handled: list[int] = []
        self.apologies: list[int] = []
        self.errors: list[Exception] = []  # to be raised by the next calls, the last one first
        self.gate = asyncio.Event()
        self.gate.set()
        self.processor = InboxProcessor(Shares(2, 2), inbox, self._apologise)

    async def process_next(self) -> None:
        await self.inbox.claim(BOT, 100, 100)
        update = await self.inbox.queue.get()
        await self.processor.process_update(update, self._handle(update))
        self.inbox.queue.task_done()

    async def _handle(self, update: object) -> None:
        assert isinstance(update, Update)
        self.handled.append(update.update_id)
        await self.gate.wait()
        if self.errors:
            raise self.errors.pop()

    async def _apologise(self, update: Update) -> None:
        self.apologies.append(update.update_id)


@pytest.fixture
def workshop(inbox: Inbox, write: Sessions, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    monkeypatch.setattr("bot.delivery.processor.pause_before", lambda retry: 0.001 * retry)
    return Workshop(inbox, write)


async def pending_in(write: Sessions) -> list[int]:
    async with write() as session:
        return [row.update_id for row in await updates.pending(session)]


async def test_an_update_is_stored_before_it_is_queued_and_queued_once(
    inbox: Inbox, write: Sessions
) -> None:
    update = new_update(7)
    await inbox.receive([update, update])
    await inbox.receive([update])
    assert await pending_in(write) == [7]
    assert await queued(inbox) == [7]


async def test_what_is_pending_is_replayed_as_it_was(inbox: Inbox, write: Sessions) -> None:
    sent = [new_update(number, text=f"{REVIEW} {number} \x00😊") for number in (3, 5, 4)]
    for update in sent:
        await inbox.receive([update])
    async with write.begin() as session:
        await updates.mark_done(session, [5], NOW)
    later = await new_inbox(write)  # the first process is dead
    assert await later.claim(BOT, 100, 100) == 2
    replayed = [later.queue.get_nowait(), later.queue.get_nowait()]
    assert [each.to_dict() for each in replayed if isinstance(each, Update)] == [
        Update.de_json(update, BOT).to_dict() for update in (sent[0], sent[2])
    ]
    await later.receive([sent[0]])  # Telegram delivers what it was not told to forget
    assert later.queue.empty()


GONE = {"message_id": 12, "date": 0, "chat": {"id": 1001, "type": "private"}}
UNREADABLE: dict[str, Json] = {
    "poll of an old server": {
        "message": {
            name: value for name, value in new_update(1)["message"].items() if name != "text"
        }
        | {"poll": {"id": "1", "question": "?"}}
    },
    "nobody's": {"message": {**new_update(1)["message"], "from": None}},
    "text of a wrong type in a kind that was not asked for": {
        "channel_post": {**new_update(1)["message"], "text": 5}
    },
    "text of a wrong type": {"message": {**new_update(1)["message"], "text": 5}},
    "id of a wrong size": {"edited_message": new_update(1, user_id=2**63)["message"]},
    "date of a wrong size": {"message": {**new_update(1)["message"], "date": 2**80}},
    "no content": {"callback_query": None, "message": []},
}


@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE.keys())
async def test_what_no_handler_can_use_is_kept_told_once_and_skipped(
    content: Json, write: Sessions, caplog: pytest.LogCaptureFixture
) -> None:
    unreadable: list[str] = []
    inbox = await new_inbox(write, unreadable)
    await inbox.receive([{"update_id": 5, **content}, new_update(6)])
    await inbox.receive([{"update_id": 5, **content}])  # delivered again
    assert await queued(inbox) == [6]
    later = await new_inbox(write, unreadable)
    assert await queued(later) == [6]
    (kind,) = unreadable
    assert kind in content
    (told,) = [each for each in caplog.records if "can't be read" in each.message]
    assert vars(told)["update_id"] == 5
    assert told.exc_info is None
    async with write() as session:
        kept = await session.get_one(rows.Update, 5)
    assert (kept.payload, kept.unreadable) == ({"update_id": 5, **content}, True)
    async with write.begin() as session:
        await privacy.erase(session, 1001, NOW)
    assert await pending_in(write) == []


async def test_a_message_that_the_bot_may_not_see_is_stored_and_read(inbox: Inbox) -> None:
    message = {**new_update(1)["message"], "pinned_message": GONE}
    await inbox.receive([{"update_id": 5, "message": message}])
    assert await queued(inbox) == [5]


async def test_half_of_a_surrogate_pair_costs_no_answer(inbox: Inbox, write: Sessions) -> None:
    sent = new_update(5, text="Хорошо\ud83d\x00")
    await inbox.receive([sent])
    await inbox.claim(BOT, 1, 1)
    update = inbox.queue.get_nowait()
    assert isinstance(update, Update)
    assert update.message is not None
    assert update.message.text == "Хорошо\ufffd\x00"
    async with write() as session:
        assert (await session.get_one(rows.Update, 5)).payload == new_update(
            5, text="Хорошо\ud83d\x00"
        )


@pytest.mark.parametrize("item", [None, 5, "text", [], {}, {"update_id": "7"}, {"update_id": True}])
async def test_what_is_no_update_costs_no_other_one(item: object, write: Sessions) -> None:
    unreadable: list[str] = []
    inbox = await new_inbox(write, unreadable)
    await inbox.receive([item, new_update(6), item])
    assert await queued(inbox) == [6]
    assert unreadable == ["unknown"] * 2


async def test_what_the_database_refuses_costs_no_other_update(
    write: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def add(session: AsyncSession, update_id: int, *arguments: Any) -> bool:
        if update_id == 5:
            raise StatementError("refused", "INSERT", {}, ValueError())
        return await stored(session, update_id, *arguments)

    stored = updates.add
    monkeypatch.setattr(updates, "add", add)
    unreadable: list[str] = []
    inbox = await new_inbox(write, unreadable)
    await inbox.receive([new_update(4), new_update(5), new_update(6)])
    assert await queued(inbox) == [4, 6]
    assert unreadable == ["message"]
    assert await pending_in(write) == [4, 6]


async def test_a_handled_update_is_done(workshop: Workshop, write: Sessions) -> None:
    await workshop.inbox.receive([new_update(1)])
    await workshop.process_next()
    assert await pending_in(write) == []


async def test_an_update_that_can_wait_is_tried_again_until_it_is_done(
    workshop: Workshop, write: Sessions
) -> None:
    workshop.errors = [TimedOut(), NetworkError("httpx.ConnectError"), RetryAfter(1)]
    await workshop.inbox.receive([new_update(1)])
    for _ in range(3):
        await workshop.process_next()
        assert await pending_in(write) == [1]
    await workshop.process_next()
    assert workshop.handled == [1, 1, 1, 1]
    assert await pending_in(write) == []
    async with write() as session:
        assert (await session.get_one(rows.Update, 1)).attempts == 1  # none was a kill


async def test_an_update_of_someone_erased_meanwhile_is_not_tried_again(
    workshop: Workshop, write: Sessions
) -> None:
    workshop.errors = [NetworkError("away")]
    await workshop.inbox.receive([new_update(1)])
    await workshop.process_next()
    async with write.begin() as session:
        await privacy.erase(session, 1001, NOW)
    await workshop.process_next()
    assert workshop.handled == [1]


async def test_an_update_that_was_in_hand_at_many_kills_is_given_up(
    workshop: Workshop, write: Sessions
) -> None:
    await workshop.inbox.receive([new_update(1)])
    await workshop.inbox.claim(BOT, 1, 1)
    for _ in range(MAX_ATTEMPTS):
        async with write.begin() as session:
            await updates.start(session, 1, workshop.inbox.lease.process)
    await workshop.process_next()
    assert workshop.handled == []
    assert workshop.apologies == [1]
    assert await pending_in(write) == []


async def test_after_a_day_in_vain_an_update_is_given_up(
    workshop: Workshop, write: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.delivery.processor.MAX_RETRIES", 2)
    workshop.errors = [NetworkError("away")] * 3
    await workshop.inbox.receive([new_update(1)])
    for _ in range(3):
        await workshop.process_next()
    assert workshop.apologies == [1]
    assert await pending_in(write) == []


async def test_finishing_waits_for_what_is_in_hand_and_begins_nothing(
    workshop: Workshop, write: Sessions
) -> None:
    workshop.gate.clear()
    for number in (1, 2, 3):
        await workshop.inbox.receive([new_update(number)])
    tasks = [asyncio.create_task(workshop.process_next()) for _ in range(3)]
    while len(workshop.handled) < 2:  # as many as it takes at once
        await asyncio.sleep(0.001)
    finishing = asyncio.create_task(workshop.processor.finish(30))
    await asyncio.sleep(0)
    workshop.gate.set()
    await asyncio.gather(finishing, *tasks)
    assert sorted(workshop.handled) == [1, 2]
    assert await pending_in(write) == [3]


async def test_what_does_not_finish_in_time_stays_in_the_inbox(
    workshop: Workshop, write: Sessions
) -> None:
    workshop.gate.clear()
    await workshop.inbox.receive([new_update(1)])
    task = asyncio.create_task(workshop.process_next())
    while not workshop.handled:
        await asyncio.sleep(0.001)
    await workshop.processor.finish(0.01)
    assert task.cancelled()
    assert await pending_in(write) == [1]


async def test_a_transaction_is_repeated_while_the_database_is_away(
    write: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.delivery.transactions.pause_before", lambda retry: 0.001)
    errors: list[Exception] = [
        OperationalError("INSERT", {}, Exception("database is locked")),
        ConnectionRefusedError(),
    ]

    async def transact(session: AsyncSession) -> bool:
        await updates.add(session, 1, {}, None, NOW)
        if errors:
            raise errors.pop()
        return True

    assert await Transactions(write).run(transact)
    assert await pending_in(write) == [1]


async def test_a_transaction_outlives_its_cancelled_caller(write: Sessions) -> None:
    transactions, begun, go_on = Transactions(write), asyncio.Event(), asyncio.Event()

    async def transact(session: AsyncSession) -> None:
        await updates.add(session, 1, {}, None, NOW)
        begun.set()
        await go_on.wait()

    caller = asyncio.create_task(transactions.run(transact))
    await begun.wait()
    caller.cancel()
    await asyncio.wait([caller])
    assert caller.cancelled()
    go_on.set()
    await transactions.finish()
    assert await pending_in(write) == [1]


@pytest.mark.parametrize(
    ("error", "waits"),
    [
        (NetworkError("Bad Gateway"), True),
        (TimedOut(), True),
        (RetryAfter(30), True),
        (InvalidToken(), True),
        (OperationalError("SELECT", {}, Exception("disk I/O error")), True),
        (BadRequest("Message text is empty"), False),
        (Forbidden("bot was blocked by the user"), False),
        (TelegramError("Invalid server response"), False),
        (IntegrityError("INSERT", {}, Exception("CHECK constraint failed")), False),
        (KeyError("a bug"), False),
    ],
)
def test_only_what_may_mend_itself_can_wait(error: Exception, waits: bool) -> None:
    assert can_wait(error) is waits


@pytest.mark.parametrize(
    ("name", "waits"),
    [
        ("CannotConnectNowError", True),  # the server starts
        ("AdminShutdownError", True),
        ("ConnectionDoesNotExistError", True),
        ("TooManyConnectionsError", True),
        ("DeadlockDetectedError", True),
        ("_base.InternalClientError", True),  # told of the shutdown in the middle of a query
        ("UniqueViolationError", False),
        ("UndefinedColumnError", False),
    ],
)
def test_what_asyncpg_raises_by_itself_can_wait_where_it_may_pass(name: str, waits: bool) -> None:
    exceptions = pytest.importorskip("asyncpg.exceptions")
    error = attrgetter(name)(exceptions)("…")
    assert can_wait(error) is waits
    assert can_wait(DBAPIError("SELECT", {}, error)) is waits


def test_the_pauses_grow_to_a_minute() -> None:
    assert [pause_before(retry) for retry in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert pause_before(1500) == 60


async def test_a_network_error_while_sending_loses_and_doubles_nothing(
    telegram: LocalServer,
    running_bot: RunningBot,
    read: Sessions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.delivery.processor.pause_before", lambda retry: 0.1 * retry)
    async with chat_client(telegram.url) as http:
        people = [Person(http, 1001), Person(http, 1002)]
        await control(http, fail={"method": "sendMessage", "next": 3, "status": 502})
        async with running_bot():
            for person in people:
                await person.send(REVIEW)
            for person in people:
                await person.answer_to(0)
        assert [len(await person.from_bot()) for person in people] == [1, 1]
    async with read() as session:
        stored = list(await session.scalars(select(rows.Review)))
        assert await updates.pending(session) == []
    assert {review.user_id for review in stored} == {1001, 1002}
    assert len(stored) == 2
    assert all(review.reply_message_id for review in stored)
