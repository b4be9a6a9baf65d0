"""Groups: silent unless asked, by /rate or by a mention."""

from typing import Any

import httpx
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from telegram import MessageEntity

from bot.handlers.incoming import without
from bot.local.people import BOT, CHATS
from bot.local.server import LocalServer
from bot.services.checking import Problem
from bot.services.joining import units
from bot.texts import conversation
from bot.texts.conversation import PROBLEMS
from db.engine import Sessions
from tests.bot.conftest import RunningBot
from tests.bot.local_client import Person, chat_client
from tests.bot.talking import (
    ANYA,
    BORIS,
    EMILY,
    GROUP,
    OTHER_REVIEW,
    REVIEW,
    all_done,
    deliver,
    message,
    rating_data,
    reviews,
    said_since,
)

pytestmark = pytest.mark.anyio
NAME = f"@{BOT['username']}"


@pytest.fixture
def anya(http: httpx.AsyncClient) -> Person:
    return Person(http, ANYA, GROUP)


@pytest.fixture
def boris(http: httpx.AsyncClient) -> Person:
    return Person(http, BORIS, GROUP)


@pytest.mark.parametrize(
    "text",
    [
        REVIEW,
        "/start",
        "/history",
        "/export",
        "/forget",
        "/nonsense",
        "/rate@other_bot",
        f"/help@other_bot {NAME[1:]}",
        "@other_bot " + REVIEW,
        "почта kinorate_bot@example.org, пишите",
    ],
)
async def test_silent_unless_asked(anya: Person, read: Sessions, text: str) -> None:
    (sent,) = await anya.send(text)
    await anya.send_file("sticker")
    assert await said_since(anya, read, sent.message_id) == []
    assert await reviews(read) == []


@pytest.mark.parametrize(
    "asking", ["/rate", f"/rate{NAME}", NAME, f"{NAME} что скажешь?", f"ну-ка, {NAME.upper()}"]
)
async def test_asked_about_somebody_elses_words(
    anya: Person, boris: Person, read: Sessions, asking: str
) -> None:
    (said,) = await anya.send(REVIEW)
    (question,) = await boris.send(asking, reply_to=said.message_id)
    answer = await boris.answer_to(question.message_id)
    assert "8 из 10" in (answer.text or "")
    assert answer.reply_to_message is not None
    assert answer.reply_to_message.message_id == question.message_id
    await all_done(read)
    (stored,) = await reviews(read)
    assert (stored.user_id, stored.chat_id, stored.source) == (BORIS, GROUP, "group")
    assert (stored.text, stored.message_id) == (REVIEW, question.message_id)


@pytest.mark.parametrize(
    "asking", [f"{NAME} {REVIEW}", f"{REVIEW} {NAME}", f"/rate {REVIEW}", f"/rate{NAME}\n{REVIEW}"]
)
async def test_asked_with_the_text_beside(anya: Person, read: Sessions, asking: str) -> None:
    assert "8 из 10" in ((await anya.ask(asking)).text or "")
    assert [review.text for review in await reviews(read)] == [REVIEW]


async def test_characters_outside_the_basic_plane_do_not_shift_the_text(
    anya: Person, read: Sessions
) -> None:
    await anya.ask(f"🎬🎬 {NAME} {REVIEW} 🎉")
    assert [review.text for review in await reviews(read)] == [f"🎬🎬  {REVIEW} 🎉"]


@given(st.text(st.characters()), st.text(st.characters()), st.text(st.characters(), min_size=1))
def test_an_entity_is_cut_out_of_any_text(before: str, after: str, name: str) -> None:
    # Half a surrogate pair on each side would make a whole one.
    assume(not (before[-1:] >= "\ud800" and after[:1] >= "\udc00"))
    entity = MessageEntity(MessageEntity.MENTION, units(before), units(name))
    assert without(before + name + after, [entity]) == (before + after).strip()


async def test_own_words_come_before_those_replied_to(
    anya: Person, boris: Person, read: Sessions
) -> None:
    (said,) = await anya.send(REVIEW)
    (question,) = await boris.send(f"{NAME} {OTHER_REVIEW}", reply_to=said.message_id)
    await boris.answer_to(question.message_id)
    assert [review.text for review in await reviews(read)] == [OTHER_REVIEW]


async def test_a_caption_can_be_asked_about(
    running_bot: RunningBot, telegram: LocalServer, read: Sessions
) -> None:
    replied = message(ANYA, CHATS[GROUP], caption=REVIEW, sticker=None)
    command = {"type": "bot_command", "offset": 0, "length": 5}
    async with running_bot() as bot, chat_client(telegram.url) as http:
        await deliver(
            bot,
            message=message(
                BORIS, CHATS[GROUP], text="/rate", entities=[command], reply_to_message=replied
            ),
        )
        await all_done(read)
        (answer,) = await Person(http, BORIS, GROUP).from_bot()
        assert "8 из 10" in (answer.text or "")


async def test_asked_about_nothing(anya: Person) -> None:
    assert (await anya.ask("/rate")).text == conversation.RATE_EXPLAINED.ru
    assert (await anya.ask(NAME)).text == conversation.RATE_EXPLAINED.ru


async def test_asked_about_the_bots_own_words(anya: Person) -> None:
    answer = await anya.ask(f"{NAME} {REVIEW}")
    (question,) = await anya.send("/rate", reply_to=answer.message_id)
    assert (await anya.answer_to(question.message_id)).text == conversation.RATE_EXPLAINED.ru


@pytest.mark.parametrize(
    ("said", "answered"),
    [("круто", PROBLEMS[Problem.TOO_SHORT].ru), ("🔥", PROBLEMS[Problem.ONLY_SYMBOLS].ru)],
)
async def test_asked_about_what_is_no_review(anya: Person, said: str, answered: str) -> None:
    (message_,) = await anya.send(said)
    (question,) = await anya.send("/rate", reply_to=message_.message_id)
    assert (await anya.answer_to(question.message_id)).text == answered


async def test_help_and_privacy_are_for_all_the_rest_is_private(http: httpx.AsyncClient) -> None:
    emily = Person(http, EMILY, GROUP)
    assert (await emily.ask("/help")).text == conversation.HELP_GROUP.en
    assert "What is stored" in ((await emily.ask("/privacy")).text or "")
    assert (await emily.ask(f"/export{NAME}")).text == conversation.PRIVATE_ONLY.en


async def test_only_who_asked_may_rate(anya: Person, boris: Person, read: Sessions) -> None:
    (said,) = await anya.send(REVIEW)
    (question,) = await boris.send("/rate", reply_to=said.message_id)
    answer = await boris.answer_to(question.message_id)
    data = rating_data(answer, 8)
    assert await anya.tap_and_wait(answer.message_id, data) == conversation.TOAST_NOT_YOURS.ru
    assert await boris.tap_and_wait(answer.message_id, data) == "Записано: 8"
    rated = await boris.edited(answer.message_id, answer)
    assert (rated.text or "").endswith("Ваша оценка: 8")
    (stored,) = await reviews(read)
    assert [(given.user_id, given.rating) for given in stored.feedback] == [(BORIS, 8)]


async def test_an_edited_question_is_answered_anew(anya: Person, read: Sessions) -> None:
    (question,) = await anya.send(f"{NAME} {REVIEW}")
    answer = await anya.answer_to(question.message_id)
    await anya.edit(question.message_id, f"{NAME} {OTHER_REVIEW}")
    await anya.answer_to(answer.message_id)
    await all_done(read)
    assert [(review.text, review.source) for review in await reviews(read)] == [
        (REVIEW, "group"),
        (OTHER_REVIEW, "edit"),
    ]


async def test_an_edited_message_that_asked_nothing_is_not_answered(
    anya: Person, read: Sessions
) -> None:
    (sent,) = await anya.send("круто")
    await anya.edit(sent.message_id, REVIEW)
    assert await said_since(anya, read, sent.message_id) == []


async def test_who_writes_in_the_name_of_the_group_can_not_be_answered(
    running_bot: RunningBot, telegram: LocalServer, read: Sessions
) -> None:
    text = f"{NAME} {REVIEW}"
    mention = {"type": "mention", "offset": 0, "length": len(NAME)}
    async with running_bot() as bot, chat_client(telegram.url) as http:
        asking = message(
            ANYA, CHATS[GROUP], text=text, entities=[mention], sender_chat=CHATS[GROUP]
        )
        await deliver(bot, message=asking)
        await all_done(read)
        (answer,) = await Person(http, ANYA, GROUP).from_bot()
    assert answer.text == conversation.RATE_ANONYMOUS.ru
    assert await reviews(read) == []


def membership(status: str) -> dict[str, Any]:
    until = {"until_date": 0} if status == "kicked" else {}
    return {"status": status, "user": BOT} | until


@pytest.mark.parametrize(
    ("old", "new", "greets"), [("left", "member", True), ("member", "left", False)]
)
async def test_a_short_hello_on_joining(
    running_bot: RunningBot, telegram: LocalServer, read: Sessions, old: str, new: str, greets: bool
) -> None:
    user = {"id": EMILY, "is_bot": False, "first_name": "Emily", "language_code": "en"}
    change = {
        "chat": CHATS[GROUP],
        "from": user,
        "date": 1_800_000_000,
        "old_chat_member": membership(old),
        "new_chat_member": membership(new),
    }
    async with running_bot() as bot, chat_client(telegram.url) as http:
        await deliver(bot, my_chat_member=change)
        await all_done(read)
        said = [answer.text for answer in await Person(http, EMILY, GROUP).from_bot()]
    assert said == ([conversation.HELLO_GROUP.en] if greets else [])
