"""What an admin or a user changes is changed once, though the reply is lost on its way."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import httpx
import pytest
from sqlalchemy import func, select
from telegram import Message
from telegram.error import NetworkError

from bot.handlers.replying import send_chart
from bot.local.server import LocalServer
from bot.services.training_process import TrainingProcess
from bot.texts import conversation, doubts, error_analysis, retraining, versions
from bot.views.keyboards import FORGET_YES
from classifier.registry.registry import Registry
from db.engine import Sessions
from db.models import AdminAction, Judgement, TrainingRun
from tests.bot.conftest import RunningBot
from tests.bot.doubtful import add_rating
from tests.bot.local_client import Person, chat_client, control
from tests.bot.prediction.test_live_models import Numbered
from tests.bot.services.test_retraining import rate, stand_in
from tests.bot.talking import ANYA, BORIS, REVIEW, all_done, buttons_of

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.delivery.processor.pause_before", lambda retry: 0.02)


@pytest.fixture
async def http(
    running_bot: RunningBot, telegram: LocalServer, registry: Registry, trains: None
) -> AsyncIterator[httpx.AsyncClient]:
    champion = Numbered(registry.get("champion").name)
    running = running_bot(champion, models=registry.root, admin_ids=[BORIS])
    async with running, chat_client(telegram.url) as client:
        yield client


@pytest.fixture
def trains(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    training = partial(TrainingProcess, command=stand_in(registry, "hang"))
    monkeypatch.setattr("bot.services.services.TrainingProcess", training)


async def lose(person: Person, *methods: str) -> None:
    """The next two calls of each method don't arrive."""
    for method in methods:
        fault = {"status": 0, "body": "", "seconds": 0.0}
        await control(person.http, odd={"method": method, "next": 2, **fault})


def data(message: Message, label: str) -> str:
    return next(data for row in buttons_of(message) for text, data in row if label in text)


async def test_a_rollback(http: httpx.AsyncClient, registry: Registry) -> None:
    boris, (first, second) = Person(http, BORIS), registry.versions()
    assert registry.get("champion").name == second.name
    registry.promote(first.name)
    listed = await boris.ask("/models")
    await lose(boris, "answerCallbackQuery", "editMessageText")
    await boris.tap(listed.message_id, f"m:r!:{second.name}")
    said = await boris.edited(listed.message_id, listed)
    assert said.text == f"Готово: следующий отзыв оценит {second.name}."
    assert said.text != versions.CHANGED.ru


async def test_a_judgement(http: httpx.AsyncClient, read: Sessions, write: Sessions) -> None:
    boris, now = Person(http, BORIS), datetime.now(UTC) - timedelta(hours=1)
    async with write.begin() as session:
        for user in (ANYA, 1):
            await add_rating(session, user, 1, 0, now, bad=0.01)
    errors = await boris.ask("/errors")
    await boris.tap(errors.message_id, data(errors, error_analysis.BUTTON_DOUBTFUL.ru))
    page = await boris.edited(errors.message_id, errors)
    await lose(boris, "answerCallbackQuery", "editMessageText")
    await boris.tap(page.message_id, data(page, doubts.BUTTON_WRONG.ru))
    after = await boris.edited(page.message_id, page)
    assert data(after, doubts.BUTTON_TAKE_BACK_LAST.ru)
    await all_done(read)
    async with read() as session:
        assert await session.scalar(select(func.count()).select_from(Judgement)) == 1


async def test_a_retraining(http: httpx.AsyncClient, read: Sessions, write: Sessions) -> None:
    boris = Person(http, BORIS)
    await rate(write, 3)
    await lose(boris, "sendMessage")
    begun = await boris.ask("/retrain")
    assert begun.text == retraining.BEGUN.ru
    await lose(boris, "answerCallbackQuery")
    toast = await boris.tap_and_wait(begun.message_id, data(begun, retraining.CANCEL.ru))
    assert toast == ""
    await all_done(read)
    async with read() as session:
        assert [run.status for run in await session.scalars(select(TrainingRun))] == ["cancelled"]
        actions = await session.scalars(select(AdminAction.action).order_by(AdminAction.id))
        assert list(actions) == ["retrain", "cancel"]


async def test_an_erasure(http: httpx.AsyncClient, read: Sessions) -> None:
    anya = Person(http, ANYA)
    await anya.ask(REVIEW)
    question = await anya.ask("/forget")
    await lose(anya, "answerCallbackQuery", "editMessageText")
    await anya.tap(question.message_id, FORGET_YES)
    said = await anya.edited(question.message_id, question)
    assert str(said.text).startswith("Стёрто: 1 отзыв")
    assert said.text != conversation.TOAST_ALREADY_FORGOTTEN.ru


async def test_a_chart_that_never_arrives_is_left_out() -> None:
    tries: list[Callable[[], object]] = []

    async def send() -> None:
        tries.append(send)
        raise NetworkError("the upload has timed out")

    await send_chart(send)
    assert 1 < len(tries) < 20
