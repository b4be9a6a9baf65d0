"""«Почему?» under an answer."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import update

from bot.local.people import USERS
from bot.local.server import LocalServer
from bot.texts import conversation, reasons
from classifier.modeling.pooling import Pooling
from classifier.serving.predictor import Prediction
from db.engine import Sessions
from db.models import Prediction as Stored
from tests.bot.conftest import RunningBot
from tests.bot.local_client import Person, chat_client
from tests.bot.talking import (
    ANYA,
    BORIS,
    GROUP,
    all_done,
    buttons_of,
    deliver,
    rating_data,
    said_since,
)
from tests.classifier.explanation import word_weights

pytestmark = pytest.mark.anyio

REVIEW = "Шёл <b>дождь</b>. Начало великолепно. Дальше хорошо. Местами скучно. Мы ели попкорн."


class Weighing:
    """Models whose reasons are known; `version` may be changed."""

    version = "weighing"

    def predict(
        self, texts: list[str], most_tokens: int | None = None
    ) -> list[dict[Pooling, Prediction]]:
        return word_weights.predict(texts, version=self.version)


@pytest.fixture
def predictor() -> Weighing:
    return Weighing()


@pytest.fixture
async def people(
    telegram: LocalServer, running_bot: RunningBot, predictor: Weighing
) -> AsyncIterator[dict[int, Person]]:
    async with running_bot(predictor), chat_client(telegram.url) as http:
        yield {user: Person(http, user) for user in (ANYA, BORIS)}


def why(answer: object) -> str:
    ((_, data),) = buttons_of(answer)[2]  # type: ignore[arg-type]
    return data


async def test_the_answer_says_what_pulls_it(people: dict[int, Person], read: Sessions) -> None:
    anya = people[ANYA]
    answer = await anya.ask(REVIEW)
    assert buttons_of(answer)[2][0][0] == "Почему?"
    await anya.tap(answer.message_id, why(answer))
    told = await anya.answer_to(answer.message_id)
    assert (told.text or "").splitlines() == [
        "Почему так? На сколько баллов каждое предложение меняет оценку:",
        "",
        "CLS",
        "▲ +4,5 «Начало великолепно.»",
        "▲ +0,7 «Дальше хорошо.»",
        "▼ −0,3 «Местами скучно.»",
        "",
        "Mean",
        "▲ +4,5 «Дальше хорошо.»",
        "▲ +0,7 «Начало великолепно.»",
        "▼ −0,3 «Местами скучно.»",
        "",
        "Модели опираются на разное: CLS\u00a0— на «Начало великолепно.», Mean\u00a0— на «Дальше"
        " хорошо.».",
    ]
    await anya.tap_and_wait(answer.message_id, rating_data(answer, 9))
    rated = await anya.edited(answer.message_id, answer)
    assert why(rated) == why(answer)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Совершенно великолепно снятый дождь", reasons.TITLE_WORDS.ru),
        ("великолепно " * 330, reasons.TITLE_WORDS.ru),
        ("Это кино великолепно. " * 180, reasons.TITLE.ru),
        # It comes in two messages, which are two lines.
        pytest.param("ура " * 2000, reasons.TITLE.ru, marks=pytest.mark.slow),
        pytest.param(
            "супер 😀 огонь ❤ всем смотреть 😀", reasons.TITLE_WORDS.ru, marks=pytest.mark.slow
        ),
    ],
)
async def test_any_text_fits_a_message(people: dict[int, Person], text: str, title: str) -> None:
    anya = people[ANYA]
    answer = await anya.ask(text)
    await anya.tap(answer.message_id, why(answer))
    told = await anya.answer_to(answer.message_id)
    assert (told.text or "").startswith(title.replace("<b>", "").replace("</b>", ""))


async def test_another_version_answers_now(
    people: dict[int, Person], predictor: Weighing, write: Sessions
) -> None:
    anya = people[ANYA]
    answer = await anya.ask(REVIEW)
    predictor.version = "promoted"
    other = reasons.TOAST_OTHER_VERSION.ru
    assert await anya.tap_and_wait(answer.message_id, why(answer)) == other
    async with write.begin() as session:  # of a version that is not there any more
        await session.execute(update(Stored).values(model_version="lost"))
    assert await anya.tap_and_wait(answer.message_id, why(answer)) == other


async def test_an_erased_review_has_no_reasons(people: dict[int, Person], read: Sessions) -> None:
    anya = people[ANYA]
    answer = await anya.ask(REVIEW)
    question = await anya.ask("/forget")
    await anya.tap(question.message_id, "forget:yes")
    await all_done(read)
    gone = conversation.TOAST_GONE.ru
    assert await anya.tap_and_wait(answer.message_id, why(answer)) == gone


async def test_an_edited_review_keeps_the_reasons_of_its_answer(
    people: dict[int, Person], read: Sessions
) -> None:
    anya = people[ANYA]
    (sent,) = await anya.send(REVIEW)
    answer = await anya.answer_to(sent.message_id)
    await anya.edit(sent.message_id, "Всё было ужасно. Мы ушли из зала посреди сеанса.")
    await all_done(read)
    await anya.tap(answer.message_id, why(answer))
    told = await anya.wait_until(lambda all_: (all_[-1].text or "").startswith("Почему так?"))
    assert "Начало великолепно." in (told[-1].text or "")


@pytest.mark.slow
async def test_an_answer_of_months_ago_that_telegram_does_not_show_any_more(
    telegram: LocalServer, running_bot: RunningBot, predictor: Weighing, read: Sessions
) -> None:
    """Whose models still answer, and then do not."""
    async with running_bot(predictor) as bot, chat_client(telegram.url) as http:
        anya = Person(http, ANYA)
        answer = await anya.ask(REVIEW)
        chat = {"id": ANYA, "type": "private"}
        tap = {
            "id": "1",
            "from": USERS[ANYA],
            "chat_instance": "1",
            "message": {"message_id": answer.message_id, "date": 0, "chat": chat},
            "data": why(answer),
        }
        await deliver(bot, callback_query=tap)
        told = await anya.answer_to(answer.message_id)
        assert "Начало великолепно." in (told.text or "")
        predictor.version = "promoted"
        await deliver(bot, callback_query=tap | {"id": "2"})
        # Telegram takes no toast for a tap that old: nothing more can be said, and nothing fails.
        assert await said_since(anya, read, told.message_id) == []


async def test_a_strangers_review_is_not_quoted(people: dict[int, Person], read: Sessions) -> None:
    """Its number under a message of one's own."""
    anya, boris = people[ANYA], people[BORIS]
    answer = await anya.ask(REVIEW)
    own = await boris.ask("Местами скучно, а финал и вовсе ужасно затянут.")
    toast = await boris.tap_and_wait(own.message_id, why(answer))
    assert toast == reasons.TOAST_ELSEWHERE.ru
    assert await said_since(boris, read, own.message_id) == []


async def test_in_a_group_whoever_sees_the_answer_may_ask(
    telegram: LocalServer, running_bot: RunningBot, predictor: Weighing
) -> None:
    async with running_bot(predictor), chat_client(telegram.url) as http:
        anya, boris = Person(http, ANYA, GROUP), Person(http, BORIS, GROUP)
        answer = await anya.ask(f"/rate {REVIEW}")
        await boris.tap(answer.message_id, why(answer))
        told = await boris.answer_to(answer.message_id)
        assert "Начало великолепно." in (told.text or "")


async def test_where_too_many_wait_it_says_so(
    people: dict[int, Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.prediction.queue._MOST_LATER", 3)
    anya = people[ANYA]
    answer = await anya.ask(REVIEW)
    assert await anya.tap_and_wait(answer.message_id, why(answer)) == reasons.TOAST_BUSY.ru


async def test_reasons_wait_until_all_reviews_are_answered(
    telegram: LocalServer, running_bot: RunningBot
) -> None:
    """Of what waits when a batch ends, reviews come first."""
    order: list[str] = []

    class Noting(Weighing):
        def predict(
            self, texts: list[str], most_tokens: int | None = None
        ) -> list[dict[Pooling, Prediction]]:
            order.extend(texts)
            return super().predict(texts, most_tokens)

    predictor = Noting()
    async with running_bot(predictor) as bot, chat_client(telegram.url) as http:
        queue = bot.parts.queue
        await Person(http, ANYA).ask(REVIEW)
        order.clear()
        later = asyncio.create_task(queue.predict_later([f"later {n}" for n in range(12)]))
        await asyncio.sleep(0)
        answers = await asyncio.gather(*(queue.predict(f"review {n}", n) for n in range(3)))
        assert len(answers) == 3
        assert len(await later) == 12
    reviews = [place for place, text in enumerate(order) if text.startswith("review")]
    assert max(reviews) <= 6  # behind one small batch at most, that had begun
    assert [text for text in order if text.startswith("later")] == [f"later {n}" for n in range(12)]
