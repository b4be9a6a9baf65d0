"""Everything about a person can be taken out and erased, and does not come back."""

import json

import httpx
import pytest
from sqlalchemy import func, select
from telegram import Message

from bot.local.server import LocalServer
from bot.texts import conversation
from bot.views.keyboards import FORGET_NO, FORGET_YES
from db.engine import Sessions
from db.models import Base, Update, User
from tests.bot.conftest import RunningBot
from tests.bot.local_client import Person, chat_client
from tests.bot.predictors import InventedPredictor
from tests.bot.talking import (
    ANYA,
    BORIS,
    EMILY,
    OTHER_REVIEW,
    REVIEW,
    all_done,
    buttons_of,
    rating_data,
    reviews,
)

pytestmark = pytest.mark.anyio


async def users(read: Sessions) -> list[tuple[int, str, bool]]:
    async with read() as session:
        stored = await session.scalars(select(User).order_by(User.id))
        return [(user.id, user.language, user.is_active) for user in stored]


async def rows(read: Sessions) -> dict[str, int]:
    """How many each table has, less those that name nobody, such as the bare ids of updates."""
    async with read() as session:
        counts = {
            name: await session.scalar(select(func.count()).select_from(table)) or 0
            for name, table in Base.metadata.tables.items()
        }
    return {
        name: count
        for name, count in counts.items()
        if count and name not in ("updates", "installation", "processes", "admissions")
    }


async def document(person: Person, message: Message) -> bytes:
    assert message.document is not None
    response = await person.http.get(f"/chat/file/{message.document.file_id}")
    return response.content


async def test_the_export_is_all_that_is_stored(anya: Person) -> None:
    await Person(anya.http, BORIS).ask(OTHER_REVIEW)
    answer = await anya.ask(REVIEW)
    await anya.tap_and_wait(answer.message_id, rating_data(answer, 9))
    sent = await anya.ask("/export")
    assert sent.document is not None
    assert (sent.document.file_name, sent.caption) == (
        "kinorate-1001.json",
        conversation.EXPORT_CAPTION.ru,
    )
    content = await document(anya, sent)
    exported = json.loads(content)
    assert exported["user"]["id"] == ANYA
    (review,) = exported["reviews"]
    assert review["text"] == REVIEW
    assert [prediction["pooling"] for prediction in review["predictions"]] == ["cls", "mean"]
    assert [given["rating"] for given in exported["feedback"]] == [9]
    assert REVIEW.encode() in content  # readable as it is
    assert OTHER_REVIEW.encode() not in content


async def test_the_history_shows_the_last_five(anya: Person) -> None:
    for number in range(6):
        await anya.ask(f"{REVIEW} Вечер {number}.")
    text = (await anya.ask("/history")).text or ""
    assert text.count("«Сюжет") == 5
    assert text.index("Вечер 5") < text.index("Вечер 1")
    assert "Вечер 0" not in text


async def test_erasing_asks_first_and_then_erases_everything(anya: Person, read: Sessions) -> None:
    await Person(anya.http, BORIS).ask(OTHER_REVIEW)
    for text in (REVIEW, OTHER_REVIEW):
        answer = await anya.ask(text)
        await anya.tap_and_wait(answer.message_id, rating_data(answer, 9))
    question = await anya.ask("/forget")
    assert question.text == conversation.FORGET_QUESTION.ru
    assert buttons_of(question) == [
        [(conversation.FORGET_YES.ru, FORGET_YES)],
        [(conversation.FORGET_NO.ru, FORGET_NO)],
    ]
    await anya.tap(question.message_id, FORGET_YES)
    said = await anya.edited(question.message_id, question)
    assert (said.text or "").startswith("Стёрто: 2 отзыва, 2 оценки и всё остальное.")
    assert said.reply_markup is None
    await all_done(read)
    assert [user for user, _, _ in await users(read)] == [BORIS]
    assert [review.user_id for review in await reviews(read)] == [BORIS]
    assert await rows(read) == {"users": 1, "reviews": 1, "predictions": 2}

    # Another tap, a tap on an erased review, and the commands still do no harm.
    toast = await anya.tap_and_wait(question.message_id, FORGET_YES)
    assert toast == conversation.TOAST_ALREADY_FORGOTTEN.ru
    toast = await anya.tap_and_wait(answer.message_id, rating_data(answer, 3))
    assert toast == conversation.TOAST_GONE.ru
    assert (await anya.ask("/history")).text == conversation.HISTORY_EMPTY.ru
    assert (await anya.ask("/forget")).text == conversation.FORGOTTEN_NOTHING.ru
    assert json.loads(await document(anya, await anya.ask("/export")))["reviews"] == []
    assert [user for user, _, _ in await users(read)] == [BORIS]


async def test_a_stranger_leaves_nothing_behind(anya: Person, read: Sessions) -> None:
    await anya.ask("/help")
    assert (await anya.ask("/forget")).text == conversation.FORGOTTEN_NOTHING.ru
    await all_done(read)
    async with read() as session:
        assert list(await session.scalars(select(Update.user_id))) == [None, None]


async def test_keeping_everything_after_all(anya: Person, read: Sessions) -> None:
    await anya.ask(REVIEW)
    question = await anya.ask("/forget")
    await anya.tap(question.message_id, FORGET_NO)
    said = await anya.edited(question.message_id, question)
    assert (said.text, said.reply_markup) == (conversation.KEPT.ru, None)
    assert len(await reviews(read)) == 1


async def test_a_review_in_hand_does_not_come_back(
    running_bot: RunningBot, telegram: LocalServer, read: Sessions
) -> None:
    predictor = InventedPredictor()
    async with running_bot(predictor), chat_client(telegram.url) as http:
        anya = Person(http, ANYA)
        await anya.ask(REVIEW)
        predictor.gate.clear()
        await anya.send(OTHER_REVIEW)
        question = await anya.ask("/forget")
        await anya.tap(question.message_id, FORGET_YES)
        await anya.edited(question.message_id, question)
        predictor.gate.set()
        await Person(http, EMILY).ask("/help")
        await all_done(read)
        assert await rows(read) == {}
        assert "8 из 10" in ((await anya.ask(OTHER_REVIEW)).text or "")  # and is welcome again
        assert len(await reviews(read)) == 1


async def test_who_blocks_the_bot_is_inactive_until_they_write_again(
    http: httpx.AsyncClient, read: Sessions
) -> None:
    emily = Person(http, EMILY)
    await emily.ask("/start")
    assert await users(read) == [(EMILY, "en", True)]
    await emily.block()
    await Person(http, ANYA).ask("/help")
    await all_done(read)
    assert await users(read) == [(EMILY, "en", False)]
    await emily.block(False)
    assert (await emily.ask("/start")).text != conversation.FAILED.en
    assert await users(read) == [(EMILY, "en", True)]


async def test_who_blocks_the_bot_while_it_thinks_is_inactive(
    running_bot: RunningBot, telegram: LocalServer, read: Sessions, caplog: pytest.LogCaptureFixture
) -> None:
    predictor = InventedPredictor()
    predictor.gate.clear()
    async with running_bot(predictor), chat_client(telegram.url) as http:
        anya = Person(http, ANYA)
        await anya.send(REVIEW)
        await Person(http, EMILY).ask("/help")
        await anya.block()
        await Person(http, EMILY).ask("/help")
        predictor.gate.set()
        await all_done(read)
        (review,) = await reviews(read)
        assert review.reply_message_id is None
        assert await users(read) == [(ANYA, "ru", False)]
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
