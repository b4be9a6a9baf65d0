"""Taps on the ratings under an answer."""

import asyncio
from datetime import timedelta
from itertools import count

import httpx
import pytest
from sqlalchemy import select

from bot.local.server import LocalServer
from bot.services.feedback import Draw
from bot.texts import conversation
from bot.views.keyboards import FORGET_NO, FORGET_YES
from classifier.modeling.pooling import Pooling
from classifier.serving.predictor import Prediction
from db import reviews as stored_reviews
from db.engine import Sessions
from db.models import Feedback, FeedbackHistory
from tests.bot.conftest import RunningBot
from tests.bot.local_client import Person, chat_client, control
from tests.bot.predictors import InventedPredictor, prediction
from tests.bot.talking import (
    ANYA,
    BORIS,
    EMILY,
    GROUP,
    OTHER_REVIEW,
    REVIEW,
    all_done,
    buttons_of,
    deliver,
    draw_of,
    rating_data,
    reviews,
)

pytestmark = pytest.mark.anyio

DRAW = Draw(b"known to this test alone")


async def ratings(read: Sessions) -> list[tuple[int, int]]:
    """Whose ratings there are, and which."""
    async with read() as session:
        stored = await session.scalars(select(Feedback).order_by(Feedback.id))
        return [(given.user_id, given.rating) for given in stored]


async def history(read: Sessions) -> list[int]:
    async with read() as session:
        rating = select(FeedbackHistory.rating).order_by(FeedbackHistory.id)
        return list(await session.scalars(rating))


async def test_a_tap_is_stored_and_shown_and_can_be_changed(anya: Person, read: Sessions) -> None:
    answer = await anya.ask(REVIEW)
    assert await anya.tap_and_wait(answer.message_id, rating_data(answer, 9)) == "Записано: 9"
    rated = await anya.edited(answer.message_id, answer)
    assert (rated.text or "").endswith("Ваша оценка: 9")
    assert "★★★★★★★★☆☆  8 из 10" in (rated.text or "")
    assert buttons_of(rated)[1][3][0] == "✓ 9"
    assert await ratings(read) == [(ANYA, 9)]

    assert await anya.tap_and_wait(answer.message_id, rating_data(rated, 4)) == "Записано: 4"
    changed = await anya.edited(answer.message_id, rated)
    assert (changed.text or "").endswith("Ваша оценка: 4")
    assert [label for row in buttons_of(changed) for label, _ in row if "✓" in label] == ["✓ 4"]
    assert await ratings(read) == [(ANYA, 4)]
    assert await history(read) == [9, 4]
    assert "вы 4" in ((await anya.ask("/history")).text or "")


async def test_the_same_tap_again_changes_nothing(anya: Person, read: Sessions) -> None:
    answer = await anya.ask(REVIEW)
    for _ in range(3):
        assert await anya.tap_and_wait(answer.message_id, rating_data(answer, 0)) == "Записано: 0"
    await all_done(read)
    assert await history(read) == [0]
    assert len(await anya.from_bot()) == 1


async def test_of_many_quick_taps_the_stored_one_is_shown(anya: Person, read: Sessions) -> None:
    answer = await anya.ask(REVIEW)
    await asyncio.gather(
        *(anya.tap(answer.message_id, rating_data(answer, rating)) for rating in range(11))
    )
    await Person(anya.http, EMILY).ask("/help")
    await all_done(read)
    ((_, rating),) = await ratings(read)
    (shown,) = await anya.from_bot()
    assert (shown.text or "").endswith(f"Ваша оценка: {rating}")


async def test_the_feedback_that_was_asked_for_or_is_kept_out_of_training(
    anya: Person, telegram: LocalServer, write: Sessions, read: Sessions
) -> None:
    draw = await draw_of(write)
    drawn = [False, True, True, True, False, True]
    for number, is_drawn in enumerate(drawn):
        ids = count(telegram.state.updates.next_id)
        telegram.state.updates.next_id = next(id for id in ids if draw.is_asked(id) == is_drawn)
        answer = await anya.ask(f"{REVIEW} Смотрела уже {number} раз.")
        asked = (answer.text or "").endswith(conversation.PLEASE_RATE.ru)
        assert asked == (number in (1, 3, 5)), "never two in a row"
        await anya.tap_and_wait(answer.message_id, rating_data(answer, 7))
    stored = await reviews(read)
    assert [review.asked_for for review in stored] == [None, "random"] * 3
    assert [(given.asked, given.held_out) for review in stored for given in review.feedback] == [
        (review.asked_for == "random", draw.is_held_out(ANYA, review.text)) for review in stored
    ]


class Disagreeing(InventedPredictor):
    """The models say the same of a text with «ровно» in it, and else another rating each."""

    def predict(
        self, texts: list[str], most_tokens: int | None = None
    ) -> list[dict[Pooling, Prediction]]:
        said = super().predict(texts, most_tokens)
        for text, both in zip(texts, said, strict=True):
            if "ровно" not in text:
                both["mean"] = prediction("mean", rating=10)
        return said


async def test_where_the_models_disagree_is_asked_once_a_day_and_says_so(
    running_bot: RunningBot,
    telegram: LocalServer,
    write: Sessions,
    read: Sessions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    draw = await draw_of(write)

    async def asked(person: Person, text: str) -> str | None:
        ids = count(telegram.state.updates.next_id)
        telegram.state.updates.next_id = next(id for id in ids if not draw.is_asked(id))
        answer = await person.ask(text)
        await person.tap_and_wait(answer.message_id, rating_data(answer, 7))
        return (answer.text or "").splitlines()[-1]

    async with running_bot(Disagreeing(), ask_uncertain_share=1), chat_client(telegram.url) as http:
        anya, emily = Person(http, ANYA), Person(http, EMILY)
        said = [await asked(anya, f"{REVIEW} Снято ровно.")]
        said += [await asked(anya, f"{REVIEW} Часть {number}.") for number in range(3)]
        assert await asked(emily, REVIEW) == conversation.PLEASE_RATE_UNCERTAIN.en
        monkeypatch.setattr("bot.services.feedback._BETWEEN_UNCERTAIN", timedelta(0))
        said += [await asked(anya, f"{REVIEW} Часть {number}.") for number in range(3, 6)]
    usual, why = conversation.ASK_RATING.ru, conversation.PLEASE_RATE_UNCERTAIN.ru
    # After a day again, and even then never two in a row.
    assert said == [usual, why, usual, usual, why, usual, why]
    stored = await reviews(read)
    assert {review.asked_for for review in stored} == {None, "uncertain"}
    given = [given for review in stored for given in review.feedback]
    assert len(given) == 8
    assert not any(each.asked for each in given), "figures are not of these"


def test_a_share_is_a_share_and_not_of_those_asked_anyway() -> None:
    ids = [1_800_000_000_000 + number for number in range(5000)]
    asked = [DRAW.is_in_share(id, 0.2) for id in ids]
    assert 0.18 < sum(asked) / len(ids) < 0.22
    assert [DRAW.is_in_share(id, share) for id in ids[:99] for share in (0, 1)] == [
        False,
        True,
    ] * 99
    both = sum(here and DRAW.is_asked(id) for here, id in zip(asked, ids, strict=True))
    assert 0.01 < both / len(ids) < 0.03


def test_a_tenth_is_asked_for_a_rating() -> None:
    asked = [DRAW.is_asked(1_800_000_000_000 + number) for number in range(5000)]
    assert 0.08 < sum(asked) / len(asked) < 0.12


def test_a_fifth_is_kept_out_whatever_the_blanks_and_capitals() -> None:
    texts = [f"Отзыв  номер {number}" for number in range(2000)]
    kept = [DRAW.is_held_out(ANYA, text) for text in texts]
    assert 0.17 < sum(kept) / len(kept) < 0.23
    assert kept == [
        DRAW.is_held_out(ANYA, f" {text.upper().replace('  ', ' ')}\n") for text in texts
    ]
    assert kept != [DRAW.is_held_out(BORIS, text) for text in texts]


async def test_what_is_held_out_differs_from_one_installation_to_another(
    write: Sessions,
) -> None:
    """Who reads this program can't choose a text that is held out."""
    texts = [f"Отзыв номер {number}" for number in range(2000)]
    here = await draw_of(write)
    assert here == await draw_of(write)
    both = [DRAW.is_held_out(ANYA, text) and here.is_held_out(ANYA, text) for text in texts]
    assert 0.02 < sum(both) / len(both) < 0.06, "one in 25, as chance has it"
    asked = [DRAW.is_asked(number) and here.is_asked(number) for number in range(5000)]
    assert sum(asked) / len(asked) < 0.03


async def test_someone_else_can_not_rate(http: httpx.AsyncClient, read: Sessions) -> None:
    """A client may send any data, of any review."""
    answer = await Person(http, ANYA).ask(REVIEW)
    emily = Person(http, EMILY)
    own = await emily.ask("/help")
    data = rating_data(answer, 3)
    assert await emily.tap_and_wait(own.message_id, data) == conversation.TOAST_NOT_YOURS.en
    assert await ratings(read) == []


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("r:999999:5", conversation.TOAST_GONE.ru),
        (f"r:{10**17}:5", conversation.TOAST_GONE.ru),
        ("r:1:11", conversation.TOAST_OLD_BUTTON.ru),
        ("old", conversation.TOAST_OLD_BUTTON.ru),
    ],
)
async def test_taps_on_what_is_not_there(anya: Person, data: str, said: str) -> None:
    message = await anya.ask("/help")
    assert await anya.tap_and_wait(message.message_id, data) == said


async def test_a_tap_on_a_message_that_can_not_be_changed_any_more_is_stored(
    anya: Person, read: Sessions
) -> None:
    answer = await anya.ask(REVIEW)
    gone = answer.message_id + 1000  # Telegram calls old and deleted messages inaccessible
    assert await anya.tap_and_wait(gone, rating_data(answer, 6)) == "Записано: 6"
    await all_done(read)
    assert await ratings(read) == [(ANYA, 6)]


async def test_a_tap_without_its_message_is_stored(
    running_bot: RunningBot, telegram: LocalServer, read: Sessions
) -> None:
    async with running_bot() as bot, chat_client(telegram.url) as http:
        anya = Person(http, ANYA)
        data = rating_data(await anya.ask(REVIEW), 2)
        user = {"id": ANYA, "is_bot": False, "first_name": "Аня", "language_code": "ru"}
        query = {"id": "1", "from": user, "chat_instance": "1", "data": data}
        await deliver(bot, callback_query=query)
        await all_done(read)
        assert await ratings(read) == [(ANYA, 2)]
        assert len(await anya.from_bot()) == 1


async def test_a_tap_that_telegram_takes_no_answer_for_is_stored(
    anya: Person, read: Sessions
) -> None:
    answer = await anya.ask(REVIEW)
    await control(anya.http, stale_queries=True)
    await anya.tap(answer.message_id, rating_data(answer, 5))
    rated = await anya.edited(answer.message_id, answer)
    assert (rated.text or "").endswith("Ваша оценка: 5")
    await all_done(read)
    assert len(await anya.from_bot()) == 1  # and nobody had to say sorry


async def test_an_edited_review_is_rated_apart(anya: Person, read: Sessions) -> None:
    (sent,) = await anya.send(REVIEW)
    first = await anya.answer_to(sent.message_id)
    await anya.tap_and_wait(first.message_id, rating_data(first, 3))
    await anya.edit(sent.message_id, REVIEW + " Пересмотрела: шедевр.")
    second = await anya.answer_to(first.message_id)
    await anya.tap_and_wait(second.message_id, rating_data(second, 10))
    assert await ratings(read) == [(ANYA, 3), (ANYA, 10)]


async def test_a_tap_changes_only_the_message_of_its_own_review(
    http: httpx.AsyncClient, read: Sessions
) -> None:
    """Under somebody else's answer, one of one's own, another text: nothing there changes."""
    anya, emily = Person(http, ANYA, GROUP), Person(http, EMILY, GROUP)
    others = await anya.ask(f"/rate {OTHER_REVIEW}")
    mine = await emily.ask(f"/rate {REVIEW}")
    older = await emily.ask(f"/rate {REVIEW} И ещё раз.")
    said = await emily.ask("/help@kinorate_bot")
    for rating, under in enumerate((others, older, said)):
        toast = await emily.tap_and_wait(under.message_id, rating_data(mine, rating))
        assert toast == conversation.TOAST_RATED.en.format(rating=rating)
    await all_done(read)
    before = {each.message_id: each.to_dict() for each in (others, mine, older, said)}
    now = {each.message_id: each.to_dict() for each in await emily.from_bot()}
    assert now == before
    assert await ratings(read) == [(EMILY, 2)], "but the rating counts: it is her own review's"
    await emily.tap_and_wait(mine.message_id, rating_data(mine, 9))
    assert "9" in ((await emily.edited(mine.message_id, mine)).text or "")


@pytest.mark.parametrize("data", [FORGET_YES, FORGET_NO])
async def test_forget_buttons_work_in_the_own_private_chat_only(
    http: httpx.AsyncClient, read: Sessions, data: str
) -> None:
    anya, emily = Person(http, ANYA, GROUP), Person(http, EMILY, GROUP)
    answer = await anya.ask(f"/rate {REVIEW}")
    for person in (anya, emily):
        toast = await person.tap_and_wait(answer.message_id, data)
        old = conversation.TOAST_OLD_BUTTON
        assert toast in (old.ru, old.en)
    await all_done(read)
    assert [review.user_id for review in await reviews(read)] == [ANYA]
    (unchanged,) = await anya.from_bot()
    assert unchanged.to_dict() == answer.to_dict()


async def test_a_forged_forget_overwrites_no_answer(anya: Person, read: Sessions) -> None:
    answer = await anya.ask(REVIEW)
    await anya.tap(answer.message_id, FORGET_NO)
    said = await anya.answer_to(answer.message_id)
    assert said.text == conversation.KEPT.ru
    assert (await anya.from_bot())[0].to_dict() == answer.to_dict()


async def test_the_numbers_of_a_moved_groups_answers_are_no_new_messages(
    http: httpx.AsyncClient, write: Sessions, read: Sessions
) -> None:
    await Person(http, ANYA, GROUP).ask(f"/rate {REVIEW}")
    await all_done(read)
    async with write.begin() as session:
        await stored_reviews.move_chat(session, GROUP, GROUP - 1)
    (review,) = await reviews(read)
    assert review.chat_id == GROUP - 1
    assert review.reply_message_id is not None
    assert review.reply_message_id < 0
