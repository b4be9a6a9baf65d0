"""`python -m bot check` finds what is wrong before a start, a line each, in a bounded time."""

import asyncio
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from pathlib import Path

import pytest

from bot.clock import utc_now
from bot.commands.check import check_all
from bot.commands.finding import Finding
from bot.local.server import LOCAL_TOKEN, LocalServer
from bot.settings import Settings
from tests.bot.conftest import NewSettings, RunningBot
from tests.bot.local_client import chat_client
from tests.bot.ports import free_port
from tests.bot.processes import bot_command, environment
from tests.postgres import postgres_server

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.commands.check_telegram.SECONDS_OF_POLL", 0)


@pytest.fixture
def sound(new_settings: NewSettings, telegram: LocalServer, tiny_models: Path) -> Settings:
    """With which nothing is wrong."""
    return new_settings(bot_api_url=telegram.url, models=tiny_models)


def changed(settings: Settings, **changes: object) -> Settings:
    return settings.model_copy(update=changes)


def told(findings: list[Finding], grade: str) -> list[str]:
    return [str(finding) for finding in findings if finding.grade == grade]


async def only_wrong(settings: Settings) -> str:
    (line,) = told(await check_all(settings), "wrong")
    assert "\n" not in line
    assert LOCAL_TOKEN not in line
    return line


async def test_where_all_is_well_it_says_so(
    sound: Settings, telegram: LocalServer, tiny_models: Path, tmp_path: Path
) -> None:
    findings = await check_all(sound)
    assert told(findings, "wrong") == []
    assert len(told(findings, "ok")) >= 9
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    done = await asyncio.to_thread(
        bot_command,
        tmp_path,
        "check",
        telegram_token=LOCAL_TOKEN,
        bot_api_url=telegram.url,
        database_url=sound.database_url,
        models=tiny_models,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert all(line[:9].strip() in ("ok", "warning") for line in done.stdout.splitlines())
    after = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    assert after == before  # it changes nothing


async def test_wrong_settings_are_a_line_each(tmp_path: Path) -> None:
    done = await asyncio.to_thread(
        bot_command, tmp_path, "check", telegram_token="hidden", webhook_port="many"
    )
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert [line[:18] for line in lines] == ["wrong    settings:"] * 2
    assert "TELEGRAM_TOKEN" in lines[0]
    assert "hidden" not in done.stdout


async def test_nothing_is_there_yet(tmp_path: Path) -> None:
    done = await asyncio.to_thread(bot_command, tmp_path, "check")
    assert done.returncode == 1
    assert "wrong    champion: the folder models is missing: is its volume" in done.stdout
    assert "isn't there yet: the bot makes it" in done.stdout
    assert list(tmp_path.iterdir()) == []


async def test_a_refused_token(sound: Settings) -> None:
    from pydantic import SecretStr

    other = changed(sound, telegram_token=SecretStr("1:none"))
    assert "Telegram refused TELEGRAM_TOKEN" in await only_wrong(other)


@asynccontextmanager
async def server(answer: bytes | None) -> AsyncIterator[str]:
    """Something that is no Bot API server: says this, or nothing for ever."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        if answer is not None:
            writer.write(answer)
            await writer.drain()
            writer.close()
        else:
            await asyncio.sleep(30)

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        listening.close()


PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n<html></html>"


@pytest.mark.parametrize("answer", [None, PAGE, b"", b"\0"], ids=["silent", "page", "ends", "odd"])
async def test_telegram_can_not_be_reached(answer: bytes | None, sound: Settings) -> None:
    async with server(answer) as url, asyncio.timeout(15):
        assert "can't be reached" in await only_wrong(changed(sound, bot_api_url=url))


async def test_without_network_it_ends_soon(sound: Settings) -> None:
    away = changed(sound, bot_api_url=f"http://127.0.0.1:{free_port()}")
    async with asyncio.timeout(15):
        assert "can't be reached" in await only_wrong(away)


@pytest.mark.parametrize(("hours", "grade"), [(0.1, "warning"), (-30, "wrong")])
async def test_a_wrong_clock(
    hours: float, grade: str, sound: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "bot.commands.check_telegram.utc_now", lambda: utc_now() + timedelta(hours=hours)
    )
    (line,) = told(await check_all(sound), grade)[-1:]
    assert "seconds ahead of" in line if hours > 0 else "seconds behind" in line


async def test_another_program_that_fetches(
    sound: Settings, telegram: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.commands.check_telegram.SECONDS_OF_POLL", 1)
    base = f"/bot{LOCAL_TOKEN}/getUpdates"

    async def fetch() -> None:
        async with chat_client(telegram.url) as http:
            while True:
                await http.post(base, data={"timeout": 10})

    other = asyncio.create_task(fetch())
    await asyncio.sleep(0.3)
    try:
        assert "Another program fetches this bot's updates" in await only_wrong(sound)
    finally:
        other.cancel()


async def test_it_takes_no_update_away(sound: Settings, telegram: LocalServer) -> None:
    telegram.state.updates.put("message", {"text": "waits"})
    findings = await check_all(sound)
    assert any("nobody else fetches them; 1 wait" in str(finding) for finding in findings)
    assert len(telegram.state.updates.waiting) == 1


async def test_a_webhook_of_another_program(sound: Settings, telegram: LocalServer) -> None:
    async with chat_client(telegram.url) as http:
        port = free_port()
        await http.post(
            f"/bot{LOCAL_TOKEN}/setWebhook", data={"url": f"http://127.0.0.1:{port}/secret-path"}
        )
        findings = await check_all(sound)
        (line,) = [str(one) for one in findings if one.subject == "updates"]
        assert "Telegram brings the updates to 127.0.0.1" in line
        assert "secret-path" not in line
        ours = changed(sound, webhook_url="https://bot.example.org/k", webhook_port=free_port())
        findings = await check_all(ours)
        (line,) = [str(one) for one in findings if one.subject == "webhook"]
        assert "now at 127.0.0.1; the bot sets it" in line


async def test_a_webhook_that_fails(sound: Settings, telegram: LocalServer) -> None:
    """As Telegram sees it: nobody listens there."""
    url = f"http://127.0.0.1:{free_port()}/kinorate"
    async with chat_client(telegram.url) as http:
        await http.post(f"/bot{LOCAL_TOKEN}/setWebhook", data={"url": url})
        telegram.state.updates.put("message", {"text": "waits"})
        ours = changed(sound, webhook_url=url, webhook_port=free_port())
        async with asyncio.timeout(30):
            while True:
                findings = await check_all(ours)
                (line,) = [str(one) for one in findings if one.subject == "webhook"]
                if "could not deliver" in line:
                    break
        assert line.startswith("warning")


async def test_a_port_that_is_taken(sound: Settings) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        line = await only_wrong(changed(sound, monitoring_port=port))
    assert f"MONITORING_PORT: port {port} of 127.0.0.1 can't be listened on" in line


async def test_while_the_bot_runs_it_does_not_disturb(
    sound: Settings, running_bot: RunningBot, telegram: LocalServer, tiny_models: Path
) -> None:
    from bot.storage.usage import sole_use

    with sole_use(sound.database_url):
        async with running_bot():
            findings = await check_all(sound)
    assert told(findings, "wrong") == []
    assert any("a bot that runs already fetches them" in str(finding) for finding in findings)


def file_of(settings: Settings) -> Path:
    file = settings.backups.sqlite_file
    assert file is not None
    return file


async def test_a_database_that_is_damaged(sound: Settings) -> None:
    file = file_of(sound)
    with file.open("r+b") as opened:
        opened.seek(8192)
        opened.write(b"\xff" * 8192)
    assert "is damaged" in await only_wrong(sound)
    file.write_text("no database at all" * 100)
    assert "is damaged (file is not a database): restore a backup" in await only_wrong(sound)


async def test_a_database_of_a_newer_version(sound: Settings) -> None:
    with closing(sqlite3.connect(file_of(sound))) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    assert "revision 9999 is of a newer version of this program" in await only_wrong(sound)


async def test_a_server_that_is_away(sound: Settings, tmp_path: Path) -> None:
    pytest.importorskip("asyncpg")
    url = f"postgresql+asyncpg://me:secret@/kinorate?host={tmp_path}"
    lines = told(await check_all(changed(sound, database_url=url)), "wrong")
    assert any("The database at DATABASE_URL can't be used" in line for line in lines)
    assert not any("secret" in line for line in lines)


async def test_a_server_that_is_silent(sound: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("asyncpg")
    monkeypatch.setattr("bot.commands.check.SECONDS", 1.0)
    async with server(None) as url, asyncio.timeout(20):
        address = url.replace("http://", "postgresql+asyncpg://me@") + "/kinorate"
        lines = told(await check_all(changed(sound, database_url=address)), "wrong")
    assert any("database: no answer within 1 seconds" in line for line in lines)


async def test_a_postgresql_that_is_too_old(
    sound: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with postgres_server() as postgres:
        there = changed(sound, database_url=postgres.url("postgres"), data=tmp_path)
        findings = await check_all(there)
        assert any("it has no tables yet" in str(finding) for finding in findings)
        monkeypatch.setattr("db.migrate.OLDEST_POSTGRESQL", (99,))
        assert "99 or a later one is needed" in await only_wrong(there)
        failed = await asyncio.to_thread(_start, tmp_path, postgres.url("postgres"))
    assert "99 or a later one is needed" in failed


def _start(folder: Path, url: str) -> str:
    """What is said at a start with that database."""
    from bot.database import bring_up_to_date
    from bot.storage.backups import Backups
    from db.address import DatabaseError

    with pytest.raises(DatabaseError) as refusal:
        bring_up_to_date(Backups(url, folder / "backups", kept=5), utc_now())
    return str(refusal.value)


async def test_a_champion_that_is_damaged(sound: Settings, tmp_path: Path) -> None:
    models = Path(shutil.copytree(sound.models, tmp_path / "models"))
    file = next(models.glob("*/cls/model.safetensors"))
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    assert "model.safetensors is damaged: its SHA-256 differs" in await only_wrong(
        changed(sound, models=models)
    )


async def test_no_room(sound: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.commands.check_machine.LEAST_ROOM", 10**18)
    lines = told(await check_all(sound), "wrong")
    assert [line.partition(":")[0] for line in lines] == [
        "wrong    room for data",
        "wrong    room for models",
    ]


def without_override(command: list[str]) -> list[str]:
    """The administrator's rights over other users' files are what a bot doesn't have."""
    if os.geteuid():
        return command
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner", *command]


@pytest.mark.parametrize("place", ["data", "data/kinorate.db", "data/backups", "models"])
async def test_a_folder_of_another_user(
    place: str, sound: Settings, tiny_models: Path, tmp_path: Path
) -> None:
    (tmp_path / "data" / "backups").mkdir(parents=True)
    shutil.copy(file_of(sound), tmp_path / "data" / "kinorate.db")
    shutil.copytree(tiny_models, tmp_path / "models")
    there = tmp_path / place
    if os.geteuid():
        there.chmod(0o500)
        expected = "chmod u+rwX"
    else:
        os.chown(there, 10001, 10001)
        there.chmod(0o755 if there.is_dir() else 0o600)
        expected = f"{place} belongs to user 10001, and the bot runs as user 0"
    done = await asyncio.to_thread(
        subprocess.run,
        without_override([sys.executable, "-m", "bot", "check"]),
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    there.chmod(0o700)
    assert done.returncode == 1, done
    lines = [line for line in done.stdout.splitlines() if line.startswith("wrong")]
    assert any(expected in line for line in lines), done.stdout
    assert not done.stderr


async def test_a_scheduled_backup_needs_pg_dump(
    sound: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url = f"postgresql+asyncpg://me@/kinorate?host={tmp_path}"
    monkeypatch.setenv("PATH", str(tmp_path))
    nightly = changed(sound, database_url=url, backup_cron="0 3 * * *")
    lines = told(await check_all(nightly), "wrong")
    assert any("pg_dump and pg_restore and psql not found" in line for line in lines)
