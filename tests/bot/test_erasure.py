"""After /forget no file has anything of the person, while the bot runs and after a kill."""

import asyncio
import json
import shutil
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from bot.local.server import LOCAL_TOKEN, LocalServer
from bot.views.keyboards import FORGET_YES
from db.engine import Sessions
from db.models import Base
from tests.bot.conftest import RunningBot
from tests.bot.local_client import Person, chat_client
from tests.bot.processes import PATIENCE, bot_process
from tests.bot.talking import (
    ANYA,
    BORIS,
    GROUP,
    OTHER_REVIEW,
    REVIEW,
    all_done,
    message,
    rating_data,
)

pytestmark = pytest.mark.anyio

UNREADABLE = "Не прочесть"


async def live_and_forget(http: httpx.AsyncClient) -> None:
    """Anya writes, rates, edits, chats with Boris in the group, and has all of it erased."""
    anya = Person(http, ANYA)
    answer = await anya.ask(REVIEW)
    await anya.tap_and_wait(answer.message_id, rating_data(answer, 9))
    sent = (await anya.send(REVIEW + " Первый вариант."))[0]
    await anya.answer_to(sent.message_id)
    await anya.edit(sent.message_id, REVIEW + " Второй вариант.")
    await Person(http, ANYA, GROUP).ask(f"@kinorate_bot {REVIEW} В группе.")
    await Person(http, BORIS).ask(OTHER_REVIEW)
    question = await anya.ask("/forget")
    await anya.tap(question.message_id, FORGET_YES)
    await anya.edited(question.message_id, question)


def left_of_anya(folder: Path) -> list[str]:
    """The files that hold a text of hers, or a payload that names her."""
    marks = [json.dumps(text, ensure_ascii=False)[1:-1].encode() for text in (REVIEW, UNREADABLE)]
    marks += [json.dumps(text)[1:-1].encode() for text in (REVIEW, UNREADABLE)]
    marks += [f'"id": {ANYA}'.encode(), f'"id":{ANYA}'.encode()]
    files = [file for file in folder.rglob("*") if file.is_file()]
    return [file.name for file in files for mark in marks if mark in file.read_bytes()]


async def ids(read: Sessions) -> set[object]:
    """Every value of every column that holds somebody's id."""
    found: set[object] = set()
    async with read() as session:
        for table in Base.metadata.tables.values():
            for column in table.columns:
                if column.name in ("user_id", "chat_id", "admin_id") or column is table.c.get("id"):
                    found |= set(await session.scalars(select(column)))
    return found


async def test_while_the_bot_runs(
    running_bot: RunningBot, telegram: LocalServer, url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    shutil.move(tmp_path / "kinorate.db", folder)
    there = f"sqlite+aiosqlite:///{folder}/kinorate.db"
    async with running_bot(database_url=there) as bot, chat_client(telegram.url) as http:
        odd = message(ANYA, text=UNREADABLE) | {"message_id": "?"}
        await bot.parts.inbox.receive([{"update_id": 1, "message": odd}])
        assert left_of_anya(folder)
        await live_and_forget(http)
        assert left_of_anya(folder) == []
        await all_done(bot.parts.database.read)
        assert ANYA not in await ids(bot.parts.database.read)
        assert BORIS in await ids(bot.parts.database.read)
        assert (folder / "kinorate.db-wal").stat().st_size < 100_000
    assert left_of_anya(folder) == []


@pytest.mark.slow
async def test_after_a_kill(telegram: LocalServer, tiny_models: Path, tmp_path: Path) -> None:
    settings = {
        "telegram_token": LOCAL_TOKEN,
        "bot_api_url": telegram.url,
        "models": tiny_models,
        "reviews_per_minute": 1000,
    }
    async with chat_client(telegram.url) as http:
        for _ in range(2):  # and back, and away again
            async with bot_process(tmp_path, **settings) as process:
                await live_and_forget(http)
                process.kill()
                async with asyncio.timeout(PATIENCE):
                    await process.wait()
                assert left_of_anya(tmp_path / "data") == []
    log = (tmp_path / "bot.log").read_text("utf-8")
    assert REVIEW not in log
