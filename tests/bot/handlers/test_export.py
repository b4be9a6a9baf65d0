"""An export of any size arrives, in files that Telegram takes, and is made once."""

import io
import json
import zipfile
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from telegram import Message

from bot.local.server import LOCAL_TOKEN, LocalServer
from bot.services import export
from bot.services.export import export_files
from bot.storage.temporary import Temporary
from bot.texts import conversation
from bot.texts.locale import RUSSIAN
from db import updates, users
from db.engine import Sessions
from db.models import Review
from tests.bot.conftest import RunningBot
from tests.bot.live_reviews import private_review
from tests.bot.local_client import Person, chat_client, control
from tests.bot.talking import ANYA, BORIS, REVIEW, all_done

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LETTERS = 'абвгдежзийклмнопрстуфхцчшщъыьэюя .,\n"\\🍿'


async def write_much(write: Sessions, texts: Iterable[str]) -> None:
    """A review of each text, and as many updates that wait."""
    async with write.begin() as session:
        await users.seen(session, ANYA, "ru", NOW)
        await users.seen(session, BORIS, "ru", NOW)
        for number, text in enumerate(texts):
            session.add(new_review(number, text))
            if number % 3 == 0:
                await updates.add(session, number, {"update_id": number}, ANYA, NOW)
        session.add(new_review(10**6, "чужое", BORIS))


def new_review(number: int, text: str, user_id: int = ANYA) -> Review:
    return private_review(number, user_id, text, NOW)


def content(file: Path) -> dict[str, Any]:
    """The JSON object in a file of an export."""
    if file.suffix == ".json":
        return dict(json.loads(file.read_bytes()))
    with zipfile.ZipFile(file) as archive:
        (name,) = archive.namelist()
        assert name == f"{file.stem}.json"
        return dict(json.loads(archive.read(name)))


@pytest.mark.parametrize("seed", range(8))
async def test_the_parts_together_are_the_whole(
    write: Sessions, read: Sessions, seed: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    random = Random(seed)
    rows = random.choice([0, 1, 99, 100, 101, 430])
    texts = ["".join(random.choices(LETTERS, k=random.randint(1, 900))) for _ in range(rows)]
    await write_much(write, texts)
    monkeypatch.setattr(export, "LARGEST_PLAIN", random.choice([0, 10_000, 10**9]))
    monkeypatch.setattr(export, "_ROOM", 1_000)
    monkeypatch.setattr(export, "LARGEST", random.choice([11_000, 60_000, 10**9]))
    async with export_files(read, ANYA, Temporary(tmp_path / "temporary")) as files:
        parts = [content(file) for file in files]
        assert len({file.name for file in files}) == len(files)
    assert not any(file.exists() for file in files)
    assert parts[0]["user"]["id"] == ANYA
    whole: dict[str, list[Any]] = {}
    for part in parts:
        for name, rows_of in part.items():
            if name != "user":
                whole.setdefault(name, []).extend(rows_of)
    assert whole.keys() == {"reviews", "feedback", "updates", "admin_actions"}
    assert [review["text"] for review in whole["reviews"]] == texts
    assert [row["update_id"] for row in whole["updates"]] == list(range(0, rows, 3))


async def test_a_large_export_comes_in_parts(
    running_bot: RunningBot,
    telegram: LocalServer,
    write: Sessions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(export, "LARGEST_PLAIN", 0)
    monkeypatch.setattr(export, "_ROOM", 1_000)
    monkeypatch.setattr(export, "LARGEST", 2_000)
    random = Random(1)
    await write_much(write, ["".join(random.choices(LETTERS, k=900)) for _ in range(300)])
    async with running_bot(), chat_client(telegram.url) as http:
        anya = Person(http, ANYA)
        first = await anya.ask("/export")
        of = int((first.caption or "").split("из ")[1].split(".")[0])
        assert of > 1
        got = await anya.wait_until(lambda messages: len(messages) == 1 + of)
        assert [message.caption for message in got[1:]] == [
            RUSSIAN(conversation.EXPORT_PART, number=number, of=of) for number in range(1, of + 1)
        ]
        reviews = [review for message in got[1:] for review in await reviews_in(anya, message)]
        assert len(reviews) == 300


async def reviews_in(anya: Person, message: Message) -> list[Any]:
    assert message.document is not None
    response = await anya.http.get(f"/chat/file/{message.document.file_id}")
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        return list(json.loads(archive.read(archive.namelist()[0])).get("reviews", []))


async def test_another_export_has_to_wait(running_bot: RunningBot, telegram: LocalServer) -> None:
    async with running_bot(), chat_client(telegram.url) as http:
        anya = Person(http, ANYA)
        await anya.ask(REVIEW)
        assert (await anya.ask("/export")).document
        for _ in range(3):  # each time: the limit on commands spares the chat a flood
            said = (await anya.ask("/export")).text
            assert said == RUSSIAN(conversation.EXPORT_LATER, minutes=5)
        assert (await Person(http, BORIS).ask("/export")).document


TOO_LARGE = {
    "telegram": (413, '{"ok":false,"error_code":413,"description":"Request Entity Too Large"}'),
    "nginx": (413, "<html><h1>413 Request Entity Too Large</h1></html>"),
    "old": (400, '{"ok":false,"error_code":400,"description":"Bad Request: file is too big"}'),
}


@pytest.mark.parametrize("kind", TOO_LARGE)
async def test_what_is_too_large_is_not_sent_again(
    running_bot: RunningBot, telegram: LocalServer, read: Sessions, kind: str
) -> None:
    status, body = TOO_LARGE[kind]
    async with running_bot(), chat_client(telegram.url) as http:
        anya = Person(http, ANYA)
        odd = {"method": "sendDocument", "next": 9, "status": status, "body": body, "seconds": 0}
        await control(http, odd=odd)
        assert (await anya.ask("/export")).text == conversation.FAILED.ru
        await all_done(read)
        assert telegram.state.faults._odd["senddocument"].left == 8


async def test_an_export_that_never_arrives_is_made_three_times(
    running_bot: RunningBot, telegram: LocalServer, read: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.delivery.processor.pause_before", lambda _: 0.01)
    async with running_bot(), chat_client(telegram.url) as http:
        anya = Person(http, ANYA)
        odd = {"method": "sendDocument", "next": 99, "status": 0, "body": "", "seconds": 0}
        await control(http, odd=odd)
        assert (await anya.ask("/export")).text == conversation.EXPORT_FAILED.ru
        await all_done(read)
        assert telegram.state.faults._odd["senddocument"].left == 96


async def test_an_export_waits_for_its_turn_and_is_made_once(
    running_bot: RunningBot, telegram: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def noted(
        read: Sessions, user_id: int, temporary: Temporary
    ) -> AbstractAsyncContextManager[list[Path]]:
        made.append(user_id)
        return export_files(read, user_id, temporary)

    monkeypatch.setattr("bot.services.personal.export_files", noted)
    async with running_bot(), chat_client(telegram.url) as http:
        anya = Person(http, ANYA)
        await control(http, rate_limit={"next": 3, "retry_after": 1})
        assert (await anya.ask("/export")).document
    assert made == [ANYA]


async def test_a_file_over_the_limit_is_refused_as_by_telegram(telegram: LocalServer) -> None:
    async with chat_client(telegram.url) as http:
        response = await http.post(
            f"/bot{LOCAL_TOKEN}/sendDocument",
            data={"chat_id": str(ANYA)},
            files={"document": ("big.bin", bytes(51 * 1024 * 1024))},
        )
    assert response.status_code == 413
    assert response.json()["description"] == "Request Entity Too Large"
