"""A bot that trains, one that starts, one that fails and one that hangs are told apart."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import closing

import httpx
import pytest

from bot.local.server import LocalServer
from bot.monitoring.probe import probe
from bot.monitoring.server import Monitoring
from bot.monitoring.startup import STARTS_WITHIN, Startup
from bot.serving import serve
from tests.bot.conftest import NewBot, RunningBot
from tests.bot.local_client import Person, chat_client
from tests.bot.ports import free_port
from tests.bot.processes import environment
from tests.bot.talking import ANYA

pytestmark = pytest.mark.anyio


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
async def monitoring(port: int) -> AsyncIterator[Monitoring]:
    """Of a bot that has only begun to start."""
    server = Monitoring(port)
    await server.start()
    yield server
    await server.stop()


async def probed(port: int | str) -> tuple[int, str]:
    """The exit status and the line of `python -m bot.monitoring.probe`."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot.monitoring.probe"),
        env=environment(monitoring_port=port, http_proxy="http://127.0.0.1:9"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


async def test_a_large_request_is_not_read(monitoring: Monitoring, port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 70000\r\n\r\n")
    async with asyncio.timeout(20):
        assert b"200 OK" not in await reader.read()
    writer.close()


async def test_the_phases_of_a_start_are_good(monitoring: Monitoring, port: int) -> None:
    assert await probed(port) == (0, "starting for 0 seconds.\n")
    monitoring.startup.enter("training")
    monitoring.startup._since -= 100
    assert await probed(port) == (0, "training for 100 seconds.\n")


@pytest.mark.parametrize(
    ("phase", "silent", "problem"),
    [
        ("starting", 130, "failing. The bot has been starting for 130 seconds."),
        ("training", 1000, "failing. The training has said nothing for 1000 seconds."),
    ],
)
async def test_a_start_that_gets_stuck_is_failing(
    phase: str, silent: int, problem: str, monitoring: Monitoring, port: int
) -> None:
    startup: Startup = monitoring.startup
    startup.enter("training" if phase == "training" else "starting")
    startup._since -= silent
    startup._last_sign -= silent
    good, told = await asyncio.to_thread(probe, port)
    assert (good, told) == (False, problem)
    if phase == "training":
        startup.sign_of_life()
        assert (await asyncio.to_thread(probe, port))[0]


async def test_a_bot_that_answers_is_ok_and_one_that_was_is_failing(
    telegram: LocalServer, running_bot: RunningBot, port: int
) -> None:
    async with running_bot(monitoring_port=port) as application, chat_client(telegram.url) as http:
        await Person(http, ANYA).ask("/start")
        assert await asyncio.to_thread(probe, port) == (True, "ok.")
        application.parts.pulse.last_good -= 1000
        good, told = await asyncio.to_thread(probe, port)
    assert not good
    assert told.startswith("failing. No valid answer of Telegram since ")


async def test_a_bot_that_never_gets_through_is_failing_in_the_end(
    telegram: LocalServer, new_bot: NewBot, port: int
) -> None:
    await telegram.stop()
    application, settings = new_bot(monitoring_port=port)
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(application, settings, stop))
    monitoring = application.monitoring
    assert monitoring is not None
    async with asyncio.timeout(60):
        while (first := await asyncio.to_thread(probe, port))[1].startswith("not there"):
            await asyncio.sleep(0.05)
    monitoring.startup._since -= STARTS_WITHIN
    later = await asyncio.to_thread(probe, port)
    stop.set()
    await serving
    assert first[0] is True
    assert first[1].startswith("starting for ")
    assert later[0] is False
    assert later[1].endswith("seconds. No updates are fetched.")


async def test_who_does_not_answer_hangs(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.monitoring.probe.SECONDS_TO_ANSWER", 0.3)
    with closing(socket.create_server(("127.0.0.1", port))):
        good, told = await asyncio.to_thread(probe, port)
    assert (good, told) == (False, "hangs: no answer within 0 seconds.")


async def test_who_is_gone_or_was_never_asked_for_is_told(port: int) -> None:
    assert await probed(port) == (1, "not there: Connection refused.\n")
    assert await probed("") == (1, "MONITORING_PORT is not set, so that nothing can be asked.\n")


async def test_before_there_is_a_bot_there_are_no_metrics_yet(
    monitoring: Monitoring, port: int
) -> None:
    content_type, text = await monitoring.metrics("")
    assert content_type.startswith("text/plain")
    assert text.strip() in (b"", b"# EOF")


async def test_another_host_is_answered_where_the_operator_asked_for_it(port: int) -> None:
    server = Monitoring(port, "127.0.0.2")
    await server.start()
    open_server = Monitoring(free_port(), "0.0.0.0")
    await open_server.start()
    try:
        async with httpx.AsyncClient(trust_env=False) as http:
            for own in ("127.0.0.1", "localhost"):
                assert (await http.get(f"http://{own}:{port}/metrics")).status_code == 200
            scraped = {"Host": "bot-1:9108"}
            address = f"http://127.0.0.1:{port}/metrics"
            assert (await http.get(address, headers=scraped)).status_code == 403
            address = f"http://127.0.0.2:{open_server._port}/metrics"
            assert (await http.get(address, headers=scraped)).status_code == 200
            foreign = scraped | {"Origin": "http://evil.example"}
            assert (await http.get(address, headers=foreign)).status_code == 403
    finally:
        await server.stop()
        await open_server.stop()
