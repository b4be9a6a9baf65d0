"""What a person writes in a private chat, and what the bot says to it."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from bot.local.server import LocalServer
from bot.services.checking import Problem
from bot.texts import conversation
from bot.texts.conversation import PROBLEMS
from bot.texts.locale import ENGLISH, RUSSIAN
from bot.views.menu import register_commands
from db.engine import Sessions
from tests.bot.conftest import RunningBot
from tests.bot.local_client import Person, chat_client, is_from_bot
from tests.bot.predictors import InventedPredictor
from tests.bot.talking import (
    ANYA,
    BORIS,
    EMILY,
    GROUP,
    OTHER_REVIEW,
    PHOTO,
    REVIEW,
    all_done,
    buttons_of,
    deliver,
    message,
    reviews,
    said_since,
)

pytestmark = pytest.mark.anyio


# --- commands


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("/start", "Пришлите отзыв о фильме"),
        ("/help", "CLS и Mean"),
        ("/privacy", "Что хранится"),
        ("/history", "Отзывов пока нет"),
        ("/rate", "команда не нужна"),
        ("/nonsense", "Такой команды я не знаю"),
        ("/rate@other_bot", "Такой команды я не знаю"),
    ],
)
async def test_commands(anya: Person, command: str, said: str) -> None:
    answer = await anya.ask(command)
    assert said in (answer.text or "")


async def test_english_for_someone_whose_telegram_speaks_it(http: httpx.AsyncClient) -> None:
    emily = Person(http, EMILY)
    assert "Send a film review" in ((await emily.ask("/start")).text or "")
    assert "The models agree." in ((await emily.ask(REVIEW)).text or "")
    assert (await emily.ask("Great film, I loved it")).text == PROBLEMS[Problem.NOT_RUSSIAN].en


async def test_an_edited_command_is_not_run_again(anya: Person, read: Sessions) -> None:
    (command,) = await anya.send("/start")
    await anya.answer_to(command.message_id)
    await anya.edit(command.message_id, "/help")
    assert len(await said_since(anya, read, command.message_id)) == 1


async def test_the_registered_commands(running_bot: RunningBot, telegram: LocalServer) -> None:
    """By chat and language; an admin who never wrote to the bot spoils nothing."""
    async with running_bot() as bot, chat_client(telegram.url) as http:
        await register_commands(bot.bot, [BORIS, 999])
        for user, locale in ((ANYA, RUSSIAN), (BORIS, RUSSIAN), (EMILY, ENGLISH)):
            of_admin = conversation.ADMIN_MENU if user == BORIS else {}
            menu = of_admin | conversation.PRIVATE_MENU
            expected = {command: locale(phrase) for command, phrase in menu.items()}
            assert await Person(http, user).commands() == expected
            expected = {name: locale(phrase) for name, phrase in conversation.GROUP_MENU.items()}
            assert await Person(http, user, GROUP).commands() == expected


# --- reviews


async def test_a_review_is_answered_and_stored(anya: Person, read: Sessions) -> None:
    (sent,) = await anya.send(REVIEW)
    answer = await anya.answer_to(sent.message_id)
    assert (answer.text or "").startswith(
        "CLS  😊 Хорошо · 87\u00a0%\n★★★★★★★★☆☆  8 из 10 (±1: 80\u00a0%)"
    )
    assert (answer.text or "").splitlines()[-1] in (
        conversation.ASK_RATING.ru,
        conversation.PLEASE_RATE.ru,
    )
    assert answer.reply_to_message is not None
    assert answer.reply_to_message.message_id == sent.message_id
    assert [len(row) for row in buttons_of(answer)] == [6, 5, 1]
    await all_done(read)
    (stored,) = await reviews(read)
    assert (stored.text, stored.user_id, stored.source) == (REVIEW, ANYA, "private")
    assert (stored.message_id, stored.reply_message_id) == (sent.message_id, answer.message_id)
    assert [(p.pooling, p.sentiment, p.rating) for p in stored.predictions] == [
        ("cls", 2, 8),
        ("mean", 2, 8),
    ]
    assert sum(stored.predictions[0].rating_probabilities or []) == pytest.approx(1)


@pytest.mark.parametrize("soon", [0, 60])
async def test_it_types_while_it_thinks_unless_that_is_a_moment(
    anya: Person, monkeypatch: pytest.MonkeyPatch, soon: float
) -> None:
    monkeypatch.setattr("bot.handlers.chat_action._SOON", soon)
    async with anya.events() as events:
        await anya.send(REVIEW)
        kinds: list[str] = []
        async for event in events:
            kinds += [event["type"]] if event["type"] in ("message", "typing") else []
            if kinds.count("message") == 2:
                break
    assert kinds == ["message", *["typing"] * (soon == 0), "message"]


async def test_an_answer_comes_even_if_typing_can_not_be_shown(
    anya: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.handlers.chat_action._SOON", 0)
    response = await anya.http.post(
        "/chat/control", json={"fail": {"method": "sendChatAction", "next": 5, "status": 502}}
    )
    assert response.is_success
    assert "8 из 10" in ((await anya.ask(REVIEW)).text or "")


async def test_a_text_is_stored_as_it_was_sent(anya: Person, read: Sessions) -> None:
    text = "<b>Фильм</b> & «сериал» хороши одинаково, 9 из 10 &lt;3"
    assert "8 из 10" in ((await anya.ask(text)).text or "")
    assert [review.text for review in await reviews(read)] == [text]
    history = (await anya.ask("/history")).text or ""
    assert "«<b>Фильм</b> & „сериал“ хороши одинаково, 9 из 10 &lt;3»" in history


async def test_a_long_text_is_one_review(anya: Person, read: Sessions) -> None:
    text = (REVIEW + " ") * 140
    sent = await anya.send(text)
    assert len(sent) == 3
    answer = await anya.answer_to(sent[-1].message_id)
    assert answer.reply_to_message is not None
    assert answer.reply_to_message.message_id == sent[0].message_id
    assert len(await said_since(anya, read, sent[-1].message_id)) == 1
    (stored,) = await reviews(read)
    assert stored.text.split() == text.split()


async def test_long_texts_that_waited_for_the_bot_stay_apart_and_whole(
    running_bot: RunningBot, telegram: LocalServer, read: Sessions
) -> None:
    began, later = telegram.state.clock(), timedelta()
    telegram.state.clock = lambda: began + later
    first, second, split = (f"{word} " * 500 for word in ("Хорошо,", "Скучно,", "Прекрасно,"))
    async with chat_client(telegram.url) as http:
        anya, boris = Person(http, ANYA), Person(http, BORIS)
        assert len(await anya.send(first)) == 1
        later = timedelta(minutes=50)
        assert len(await anya.send(second)) == 1
        await boris.send(REVIEW)
        later = timedelta(minutes=51)
        assert len(await anya.send(split)) == 2
        async with running_bot():
            await anya.wait_until(lambda all_: len([*filter(is_from_bot, all_)]) == 3)
            await all_done(read)
            assert len(await anya.from_bot()) == 3
            assert len(await boris.from_bot()) == 1
    texts = sorted(review.text.strip() for review in await reviews(read))
    assert [text.split() for text in texts] == [
        each.split() for each in sorted([first, second, split, REVIEW])
    ]


async def test_a_command_does_not_wait_for_the_rest_of_a_text(anya: Person) -> None:
    (part,) = await anya.send("Долгий фильм. " * 270)
    assert part.text is not None
    assert len(part.text) >= 3500
    assert "CLS и Mean" in ((await anya.ask("/help")).text or "")


async def test_too_long_a_text_gets_one_sentence(anya: Person, read: Sessions) -> None:
    sent = await anya.send((REVIEW + " ") * 300)
    assert len(sent) > 4
    assert await said_since(anya, read, sent[-1].message_id) == [PROBLEMS[Problem.TOO_LONG].ru]
    assert await reviews(read) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("круто", PROBLEMS[Problem.TOO_SHORT].ru),
        ("9 из 10", PROBLEMS[Problem.ONLY_RATING].ru),
        ("https://example.org/review", PROBLEMS[Problem.ONLY_LINKS].ru),
        ("🔥🔥🔥", PROBLEMS[Problem.ONLY_SYMBOLS].ru),
        ("What a wonderful film it was", PROBLEMS[Problem.NOT_RUSSIAN].ru),
    ],
)
async def test_what_is_no_review_gets_a_kind_sentence(
    anya: Person, read: Sessions, text: str, said: str
) -> None:
    assert (await anya.ask(text)).text == said
    assert await reviews(read) == []


# --- files and other kinds of messages


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1251"])
async def test_a_text_file_is_a_review(anya: Person, read: Sessions, encoding: str) -> None:
    file = ("Отзыв.TXT", (REVIEW * 60).encode(encoding), "text/plain")
    sent = await anya.send_file("document", file)
    assert "8 из 10" in ((await anya.answer_to(sent.message_id)).text or "")
    (stored,) = await reviews(read)
    assert (stored.text, stored.source) == (REVIEW * 60, "document")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("big.txt", b"a" * 102_401, conversation.DOCUMENT_TOO_LARGE.ru),
        ("binary.txt", b"\x00\x01\x02", conversation.DOCUMENT_UNREADABLE.ru),
        ("long.txt", ("слово " * 4000).encode(), PROBLEMS[Problem.TOO_LONG].ru),
        ("short.txt", "круто".encode(), PROBLEMS[Problem.TOO_SHORT].ru),
        ("review.pdf", b"%PDF", conversation.DOCUMENT_KIND.ru),
    ],
)
async def test_other_files(anya: Person, name: str, content: bytes, said: str) -> None:
    sent = await anya.send_file("document", (name, content, "application/octet-stream"))
    assert (await anya.answer_to(sent.message_id)).text == said


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("photo", conversation.PICTURE.ru),
        ("voice", conversation.VOICE.ru),
        ("sticker", conversation.STICKER.ru),
        ("channel_post", conversation.CHANNEL_POST.ru),
    ],
)
async def test_other_kinds_of_messages(anya: Person, kind: str, said: str) -> None:
    sent = await anya.send_file(kind, PHOTO if kind == "photo" else None)
    assert (await anya.answer_to(sent.message_id)).text == said


async def test_a_caption_that_is_a_review_is_one(anya: Person, read: Sessions) -> None:
    sent = await anya.send_file("photo", PHOTO, caption=REVIEW)
    assert "8 из 10" in ((await anya.answer_to(sent.message_id)).text or "")
    assert [review.text for review in await reviews(read)] == [REVIEW]
    edited = await anya.edit(sent.message_id, OTHER_REVIEW)
    assert edited.caption == OTHER_REVIEW
    await said_since(anya, read, sent.message_id)
    assert [review.text for review in await reviews(read)] == [REVIEW, OTHER_REVIEW]


async def test_any_other_caption_is_none(anya: Person) -> None:
    sent = await anya.send_file("photo", PHOTO, caption="постер")
    assert (await anya.answer_to(sent.message_id)).text == conversation.PICTURE.ru


FILE = {"file_id": "1", "file_unique_id": "1"}
UNUSUAL: list[tuple[dict[str, Any], str]] = [
    ({"video": FILE | {"width": 1, "height": 1, "duration": 1}}, conversation.VOICE.ru),
    ({"video_note": FILE | {"length": 1, "duration": 1}}, conversation.VOICE.ru),
    ({"audio": FILE | {"duration": 1}}, conversation.VOICE.ru),
    (
        {"animation": FILE | {"width": 1, "height": 1, "duration": 1}, "document": FILE},
        conversation.STICKER.ru,
    ),
    ({"dice": {"emoji": "🎲", "value": 3}}, conversation.STICKER.ru),
    ({"location": {"latitude": 1.0, "longitude": 1.0}}, conversation.OTHER_KIND.ru),
    ({"contact": {"phone_number": "1", "first_name": "А"}}, conversation.OTHER_KIND.ru),
    ({"document": FILE}, conversation.DOCUMENT_KIND.ru),
    ({"story": {"id": 1, "chat": {"id": 5, "type": "private"}}}, conversation.OTHER_KIND.ru),
]


async def test_kinds_that_the_local_chat_can_not_send(
    running_bot: RunningBot, telegram: LocalServer, read: Sessions
) -> None:
    async with running_bot() as bot, chat_client(telegram.url) as http:
        for content, said in UNUSUAL:
            await deliver(bot, message=message(**content))
            await all_done(read)
            assert (await Person(http, ANYA).from_bot())[-1].text == said


async def test_service_messages_are_no_messages(
    running_bot: RunningBot, telegram: LocalServer, read: Sessions
) -> None:
    async with running_bot() as bot, chat_client(telegram.url) as http:
        await deliver(bot, message=message(delete_chat_photo=True))
        await all_done(read)
        assert await Person(http, ANYA).from_bot() == []


async def test_an_album_gets_one_sentence(
    running_bot: RunningBot, telegram: LocalServer, read: Sessions
) -> None:
    photo = [FILE | {"width": 1, "height": 1}]
    async with running_bot() as bot, chat_client(telegram.url) as http:
        for _ in range(3):
            await deliver(bot, message=message(photo=photo, media_group_id="album"))
        await deliver(bot, message=message(photo=photo, media_group_id="another"))
        await all_done(read)
        texts = [said.text for said in await Person(http, ANYA).from_bot()]
    assert texts == [conversation.PICTURE.ru] * 2


async def test_an_album_with_a_review_gets_one_answer(
    running_bot: RunningBot, telegram: LocalServer, read: Sessions
) -> None:
    album: dict[str, Any] = {"photo": [FILE | {"width": 1, "height": 1}], "media_group_id": "album"}
    async with running_bot() as bot, chat_client(telegram.url) as http:
        await deliver(bot, message=message(caption=REVIEW, **album))
        await deliver(bot, message=message(**album))
        await all_done(read)
        (answer,) = await Person(http, ANYA).from_bot()
    assert "8 из 10" in (answer.text or "")


# --- edits


async def test_an_edited_review_gets_a_new_prediction(anya: Person, read: Sessions) -> None:
    (sent,) = await anya.send(REVIEW)
    first = await anya.answer_to(sent.message_id)
    await anya.edit(sent.message_id, OTHER_REVIEW)
    second = await anya.answer_to(first.message_id)
    assert second.reply_to_message is not None
    assert second.reply_to_message.message_id == sent.message_id
    await all_done(read)
    old, new = await reviews(read)
    assert (old.text, old.source, old.reply_message_id) == (REVIEW, "private", first.message_id)
    assert (new.text, new.source, new.replaces_review_id) == (OTHER_REVIEW, "edit", old.id)
    assert new.reply_message_id == second.message_id


async def test_an_edit_waits_until_its_message_is_answered(
    running_bot: RunningBot, telegram: LocalServer, read: Sessions
) -> None:
    predictor = InventedPredictor()
    predictor.gate.clear()
    async with running_bot(predictor), chat_client(telegram.url) as http:
        anya = Person(http, ANYA)
        (sent,) = await anya.send(REVIEW)
        await anya.edit(sent.message_id, OTHER_REVIEW)
        await Person(http, EMILY).ask("/help")  # both have arrived
        predictor.gate.set()
        await said_since(anya, read, sent.message_id)
        assert [review.text for review in await reviews(read)] == [REVIEW, OTHER_REVIEW]


@pytest.mark.parametrize("text", [REVIEW, "круто"])
async def test_edits_that_are_not_answered(
    running_bot: RunningBot, telegram: LocalServer, read: Sessions, text: str
) -> None:
    """The text is the same, as when a link's preview was loaded; or it was no review before."""
    async with running_bot() as bot, chat_client(telegram.url) as http:
        anya = Person(http, ANYA)
        (sent,) = await anya.send(text)
        answer = await anya.answer_to(sent.message_id)
        await all_done(read)
        edited = sent.to_dict() | {"edit_date": 1_800_000_000, "text": REVIEW}
        edited |= {"link_preview_options": {"is_disabled": True}}
        await deliver(bot, edited_message=edited)
        await all_done(read)
        assert [said.message_id for said in await anya.from_bot()] == [answer.message_id]


async def test_an_edit_to_what_is_no_review_gets_a_kind_sentence(
    anya: Person, read: Sessions
) -> None:
    (sent,) = await anya.send(REVIEW)
    answer = await anya.answer_to(sent.message_id)
    await anya.edit(sent.message_id, "👍")
    assert (await anya.answer_to(answer.message_id)).text == PROBLEMS[Problem.ONLY_SYMBOLS].ru
    assert len(await reviews(read)) == 1


async def test_an_edited_part_of_a_long_review_asks_for_the_whole(
    anya: Person, read: Sessions
) -> None:
    first, last = await anya.send((REVIEW + " ") * 80)
    answer = await anya.answer_to(last.message_id)
    await anya.edit(first.message_id, REVIEW)
    assert (await anya.answer_to(answer.message_id)).text == conversation.EDITED_IN_PARTS.ru
    assert len(await reviews(read)) == 1


# --- trouble


async def test_a_failure_gets_one_sorry_sentence_and_leaves_no_text_in_the_log(
    running_bot: RunningBot, telegram: LocalServer, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(InventedPredictor):
        def predict(self, texts: list[str], most_tokens: int | None = None) -> Any:
            raise RuntimeError("broken")

    async with running_bot(Broken()), chat_client(telegram.url) as http:
        anya = Person(http, ANYA)
        sent = await anya.send((REVIEW + " ") * 80)
        answer = await anya.answer_to(sent[-1].message_id)
        assert answer.text == conversation.FAILED.ru
        assert "CLS и Mean" in ((await anya.ask("/help")).text or "")
        assert len(await anya.from_bot()) == 2
    assert "broken" in caplog.text
    assert "Сюжет" not in caplog.text


async def test_an_answer_comes_once_telegram_can_be_reached_again(
    anya: Person, read: Sessions
) -> None:
    await anya.http.post(
        "/chat/control", json={"fail": {"method": "sendMessage", "next": 1, "status": 502}}
    )
    assert "8 из 10" in ((await anya.ask(REVIEW)).text or "")
    await all_done(read)
    assert len(await reviews(read)) == 1
    assert len(await anya.from_bot()) == 1


async def test_the_answer_to_a_deleted_message_comes_without_a_quote(
    running_bot: RunningBot, telegram: LocalServer
) -> None:
    predictor = InventedPredictor()
    predictor.gate.clear()
    async with running_bot(predictor), chat_client(telegram.url) as http:
        anya = Person(http, ANYA)
        (sent,) = await anya.send(REVIEW)
        await anya.delete(sent.message_id)
        predictor.gate.set()
        answer = await anya.answer_to(sent.message_id)
        assert answer.reply_to_message is None
