"""Answers go where the question was; a caption is as good as a text."""

from typing import Any

import httpx
import pytest

from bot.local import methods
from bot.local.params import ApiError, Params
from bot.local.people import BOT, CHATS
from bot.local.server import LocalServer
from bot.local.state import State
from bot.texts import conversation
from db.engine import Sessions
from tests.bot.conftest import RunningBot
from tests.bot.local_client import Person, chat_client
from tests.bot.talking import (
    ANYA,
    BORIS,
    GROUP,
    OTHER_REVIEW,
    PHOTO,
    REVIEW,
    all_done,
    deliver,
    message,
    reviews,
    said_since,
)

pytestmark = pytest.mark.anyio

NAME = f"@{BOT['username']}"
COMMAND = {"type": "bot_command", "offset": 0, "length": 5}
Sent = list[dict[str, Any]]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """The parameters of each sendMessage."""
    requests: Sent = []
    send = methods.METHODS["sendmessage"]

    def record(state: State, params: Params) -> object:
        requests.append(dict(params.values))
        if params.text("message_thread_id") == "404":
            raise ApiError.bad_request("message thread not found")
        return send(state, params)

    monkeypatch.setitem(methods.METHODS, "sendmessage", record)
    return requests


def asking(**content: Any) -> dict[str, Any]:
    text = {"text": f"/rate {REVIEW}", "entities": [COMMAND]}
    return message(BORIS, CHATS[GROUP], **text | content)


@pytest.mark.parametrize(
    ("of_message", "of_answer"),
    [
        ({}, {}),
        ({"message_thread_id": 7, "is_topic_message": True}, {"message_thread_id": "7"}),
        ({"message_thread_id": 7}, {}),  # a chain of replies is no topic
        ({"direct_messages_topic": {"topic_id": 9}}, {"direct_messages_topic_id": "9"}),
    ],
)
@pytest.mark.parametrize("fails", [False, True])
async def test_an_answer_and_an_apology_go_where_the_question_was(
    running_bot: RunningBot,
    sent: Sent,
    read: Sessions,
    monkeypatch: pytest.MonkeyPatch,
    of_message: dict[str, Any],
    of_answer: dict[str, str],
    fails: bool,
) -> None:
    def broken(*_: object) -> str:
        raise ZeroDivisionError

    if fails:
        monkeypatch.setattr("bot.handlers.answering.answer", broken)
    question = asking(**of_message)
    async with running_bot() as bot:
        await deliver(bot, message=question)
        await all_done(read)
    (answer,) = sent
    topics = ("message_thread_id", "direct_messages_topic_id")
    assert {name: answer[name] for name in topics if name in answer} == of_answer
    assert f'"message_id": {question["message_id"]}' in answer["reply_parameters"]
    assert (answer["text"] == conversation.FAILED.ru) is fails


async def test_an_apology_for_a_tap_is_beside_the_message(
    running_bot: RunningBot, sent: Sent, read: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("bot.handlers.taps.rating_tap", broken)
    user = {"id": ANYA, "is_bot": False, "first_name": "Аня", "language_code": "ru"}
    topic = {"message_thread_id": 7, "is_topic_message": True}
    under = message(BORIS, CHATS[GROUP], text="8 из 10", **topic)
    query = {"id": "1", "from": user, "chat_instance": "1", "data": "r:1:5", "message": under}
    async with running_bot() as bot:
        await deliver(bot, callback_query=query)
        await all_done(read)
    (apology,) = sent
    assert apology["text"] == conversation.FAILED.ru
    assert apology["message_thread_id"] == "7"
    assert str(under["message_id"]) in apology["reply_parameters"]


async def test_the_answer_in_a_topic_that_is_gone_comes_to_the_chat(
    running_bot: RunningBot, telegram: LocalServer, sent: Sent, read: Sessions
) -> None:
    async with running_bot() as bot, chat_client(telegram.url) as http:
        await deliver(bot, message=asking(message_thread_id=404, is_topic_message=True))
        await all_done(read)
        (answer,) = await Person(http, BORIS, GROUP).from_bot()
    assert "8 из 10" in (answer.text or "")


async def test_a_command_that_is_deleted_is_answered(
    running_bot: RunningBot, telegram: LocalServer, read: Sessions
) -> None:
    command = message(BORIS, CHATS[GROUP], text="/help", entities=[COMMAND])
    async with running_bot() as bot, chat_client(telegram.url) as http:
        await deliver(bot, message=command)  # the local chat knows no such message
        await all_done(read)
        (answer,) = await Person(http, BORIS, GROUP).from_bot()
    assert answer.text == conversation.HELP_GROUP.ru


# --- captions


@pytest.mark.parametrize(
    "caption", [f"/rate{NAME} {REVIEW}", f"/rate {REVIEW}", f"{NAME} {REVIEW}"]
)
async def test_a_caption_in_a_group_asks(
    http: httpx.AsyncClient, read: Sessions, caption: str
) -> None:
    anya = Person(http, ANYA, GROUP)
    question = await anya.send_file("photo", PHOTO, caption=caption)
    answer = await anya.answer_to(question.message_id)
    assert "8 из 10" in (answer.text or "")
    await anya.edit(question.message_id, caption.replace(REVIEW, OTHER_REVIEW))
    await anya.answer_to(answer.message_id)
    assert [review.text for review in await reviews(read)] == [REVIEW, OTHER_REVIEW]


async def test_a_caption_asks_about_the_message_it_replies_to(
    running_bot: RunningBot, telegram: LocalServer, read: Sessions
) -> None:
    replied = message(ANYA, CHATS[GROUP], text=REVIEW)
    question = message(
        BORIS, CHATS[GROUP], caption="/rate", caption_entities=[COMMAND], reply_to_message=replied
    )
    async with running_bot() as bot:
        await deliver(bot, message=question)
        await all_done(read)
    assert [review.text for review in await reviews(read)] == [REVIEW]


POLL = {"id": "1", "question": "?", "options": []}  # as of an older server: PTB wants more fields


@pytest.mark.parametrize(
    "beside",
    [
        {
            "reply_to_message": {
                "message_id": 12,
                "date": 0,
                "chat": {"id": ANYA, "type": "private"},
            }
        },
        {"reply_to_message": message(ANYA, poll=POLL)},
        {"reply_to_message": "no message"},
        {"external_reply": {"origin": {"type": "new"}}},
        {"quote": 5},
        {"link_preview_options": [1]},
        {"via_bot": {"id": "x"}},
    ],
)
async def test_a_review_is_answered_whatever_stands_beside_it(
    beside: dict[str, Any], running_bot: RunningBot, read: Sessions
) -> None:
    async with running_bot() as bot:
        await deliver(bot, message=message(ANYA, text=REVIEW, **beside))
        await all_done(read)
    (review,) = await reviews(read)
    assert review.text == REVIEW
    assert review.reply_message_id


async def test_a_file_is_not_lost_with_what_it_replies_to(
    running_bot: RunningBot, read: Sessions
) -> None:
    """Its caption alone would be taken for the review."""
    document = {"file_id": "gone", "file_name": "review.txt", "file_unique_id": "u"}
    broken = message(ANYA, poll=POLL)
    async with running_bot() as bot:
        await deliver(
            bot,
            message=message(ANYA, caption=REVIEW, document=document, reply_to_message=broken),
        )
        await all_done(read)
    assert await reviews(read) == []  # the file can't be had, which is said


@pytest.mark.parametrize(
    ("user", "chat", "caption", "said"),
    [
        (ANYA, ANYA, "/start", conversation.START.ru[:20]),
        (ANYA, ANYA, "/help", "Что присылать"),
        (ANYA, ANYA, f"/privacy{NAME}", "Что хранится"),
        (ANYA, ANYA, "/history", conversation.HISTORY_EMPTY.ru),
        (ANYA, ANYA, "/forget", conversation.FORGOTTEN_NOTHING.ru),
        (ANYA, ANYA, f"/rate {REVIEW}", conversation.RATE_EXPLAINED_PRIVATE.ru),
        (ANYA, ANYA, "/nonsense", conversation.UNKNOWN_COMMAND.ru),
        (ANYA, ANYA, "/help@other_bot", conversation.UNKNOWN_COMMAND.ru),
        (ANYA, ANYA, "/stats", conversation.UNKNOWN_COMMAND.ru),
        (BORIS, BORIS, "/stats 24h", "За это время отзывов не было"),
        (ANYA, GROUP, f"/help{NAME}", conversation.HELP_GROUP.ru),
        (ANYA, GROUP, f"/export{NAME}", conversation.PRIVATE_ONLY.ru),
        (ANYA, GROUP, "/export", ""),
        (ANYA, GROUP, f"/rate@other_bot {REVIEW}", ""),
    ],
)
async def test_captions_are_commands_too(
    http: httpx.AsyncClient, read: Sessions, user: int, chat: int, caption: str, said: str
) -> None:
    person = Person(http, user, chat)
    question = await person.send_file("photo", PHOTO, caption=caption)
    if caption == "/forget":  # which ends its own update before it answers
        await person.wait_until(lambda seen: seen[-1].message_id > question.message_id)
    answers = await said_since(person, read, question.message_id)
    assert len(answers) == (1 if said else 0)
    assert all(said in answer for answer in answers)


async def test_a_text_file_with_a_command_for_a_caption_is_rated(
    http: httpx.AsyncClient, read: Sessions
) -> None:
    anya = Person(http, ANYA)
    file = ("review.txt", REVIEW.encode(), "text/plain")
    sent = await anya.send_file("document", file, caption="/rate")
    assert "8 из 10" in ((await anya.answer_to(sent.message_id)).text or "")
