"""Text files: from Telegram, from a self-hosted server's disk, or from nowhere any more."""

from pathlib import Path
from typing import Any

import pytest

from bot.local import methods
from bot.local.server import LocalServer
from bot.texts import conversation
from db.engine import Sessions
from tests.bot.local_client import Person, control
from tests.bot.talking import REVIEW, reviews

pytestmark = pytest.mark.anyio

GONE, TOO_LARGE = conversation.DOCUMENT_GONE.ru, conversation.DOCUMENT_TOO_LARGE.ru
FILE = ("review.txt", REVIEW.encode(), "text/plain")


async def said_of(anya: Person) -> str:
    sent = await anya.send_file("document", FILE)
    return (await anya.answer_to(sent.message_id)).text or ""


def get_file_says(monkeypatch: pytest.MonkeyPatch, **fields: Any) -> None:
    ids = {"file_id": "1", "file_unique_id": "1"}
    monkeypatch.setitem(methods.METHODS, "getfile", lambda *_: ids | fields)


@pytest.mark.parametrize(
    ("status", "description", "said"),
    [
        (400, "Bad Request: wrong file_id or the file is temporarily unavailable", GONE),
        (400, "Bad Request: invalid file_id", GONE),
        (400, "Bad Request: file is too big", TOO_LARGE),
        (404, "Not Found", GONE),
        (403, "Forbidden", GONE),
    ],
)
async def test_a_file_that_telegram_does_not_hand_out(
    anya: Person, status: int, description: str, said: str
) -> None:
    body = f'{{"ok": false, "error_code": {status}, "description": "{description}"}}'
    fault = {"status": status, "body": body, "seconds": 0}
    await control(anya.http, odd={"method": "getFile", "next": 9, **fault})
    assert await said_of(anya) == said


@pytest.mark.parametrize("body", ["Not Found", "<html>404 nginx", '{"ok": false}'])
async def test_a_download_that_is_not_there(anya: Person, body: str) -> None:
    fault = {"status": 404, "body": body, "seconds": 0}
    await control(anya.http, odd={"method": "file", "next": 9, **fault})
    assert await said_of(anya) == GONE


@pytest.mark.parametrize("fields", [{}, {"file_path": ""}, {"file_path": None}])
async def test_a_file_without_a_path(
    anya: Person, monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any]
) -> None:
    get_file_says(monkeypatch, **fields)
    assert await said_of(anya) == GONE


async def test_a_page_in_the_place_of_a_file_is_no_review(anya: Person, read: Sessions) -> None:
    fault = {"status": 200, "body": "<!DOCTYPE html><p>" + REVIEW, "seconds": 0}
    await control(anya.http, odd={"method": "file", "next": 1, **fault})
    assert "8 из 10" in await said_of(anya)
    assert [review.text for review in await reviews(read)] == [REVIEW]


# --- a self-hosted server in its local mode names files on its disk


async def test_a_file_on_the_servers_disk_is_read(
    anya: Person, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, read: Sessions
) -> None:
    path = tmp_path / "1:local" / "documents" / "file 1.txt"
    path.parent.mkdir(parents=True)
    path.write_text(REVIEW + " С диска.", encoding="utf-8")
    get_file_says(monkeypatch, file_path=str(path))
    assert "8 из 10" in await said_of(anya)
    assert [review.text for review in await reviews(read)] == [REVIEW + " С диска."]


async def test_a_large_file_on_the_disk_is_not_read_as_a_whole(
    anya: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    get_file_says(monkeypatch, file_path="/dev/zero")
    assert await said_of(anya) in (GONE, TOO_LARGE)


@pytest.mark.parametrize("kind", ["missing", "folder", "unreadable"])
async def test_a_file_that_can_not_be_read_from_the_disk(
    anya: Person, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "file.txt"
    if kind == "folder":
        path.mkdir()
    elif kind == "unreadable":
        path.write_text(REVIEW, encoding="utf-8")

        def refuse(_: Path) -> bytes:
            raise PermissionError(13, "Permission denied", str(path))

        monkeypatch.setattr("bot.handlers.downloading._read", refuse)
    get_file_says(monkeypatch, file_path=str(path))
    assert await said_of(anya) == GONE


async def test_no_file_is_read_that_the_server_did_not_name(
    anya: Person, telegram: LocalServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither one of the same relative name, nor any for Telegram's own server."""
    (tmp_path / "documents").mkdir()
    path = tmp_path / "documents" / "file_1.txt"
    path.write_text(REVIEW, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    get_file_says(monkeypatch, file_path="documents/file_1.txt")
    assert await said_of(anya) == GONE
    monkeypatch.setattr("bot.handlers.downloading.TELEGRAM", telegram.url)
    get_file_says(monkeypatch, file_path=str(path))
    assert await said_of(anya) == GONE
