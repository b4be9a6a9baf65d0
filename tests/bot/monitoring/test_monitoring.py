"""/healthz and /metrics say what is so."""

import asyncio
import math
import re
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from bot.errors import BotError
from bot.local.server import LocalServer
from bot.serving import serve
from db import training_runs
from db.engine import Sessions
from db.training_runs import Ending
from tests.bot.conftest import NewBot, RunningBot
from tests.bot.local_client import Person, chat_client, control
from tests.bot.ports import free_port
from tests.bot.predictors import InventedPredictor
from tests.bot.talking import ANYA, OTHER_REVIEW, REVIEW, all_done, draw_of, rating_data, reviews

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
async def monitor(port: int) -> AsyncIterator[httpx.AsyncClient]:
    """Whatever scrapes the bot."""
    url = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as http:
        yield http


async def samples(monitor: httpx.AsyncClient) -> dict[str, float]:
    """The samples by name and labels, as Prometheus writes them."""
    response = await monitor.get("/metrics")
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/plain; version=")
    return {
        sample.name + "".join(f" {name}={value}" for name, value in sample.labels.items()): (
            sample.value
        )
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


async def test_what_is_counted_is_what_happened(
    telegram: LocalServer,
    running_bot: RunningBot,
    monitor: httpx.AsyncClient,
    port: int,
    write: Sessions,
    read: Sessions,
) -> None:
    async with running_bot(monitoring_port=port), chat_client(telegram.url) as http:
        anya = Person(http, ANYA)
        answer = await anya.ask(REVIEW)
        await anya.ask(OTHER_REVIEW)
        for rating in (9, 4):
            await anya.tap_and_wait(answer.message_id, rating_data(answer, rating))
        await all_done(read)
        async with write.begin() as session:
            run_id = await training_runs.start(session, "admin", NOW)
            assert run_id is not None
        assert (await samples(monitor))["kinorate_training_runs status=running"] == 1
        async with write.begin() as session:
            await training_runs.finish(session, run_id, Ending("refused"), NOW)
        counted = await samples(monitor)
    draw = await draw_of(write)
    asked = "yes" if draw.is_asked((await reviews(read))[0].update_id) else "no"
    expected = {
        "kinorate_updates_total kind=message": 2,
        "kinorate_updates_total kind=callback_query": 2,
        "kinorate_predictions_total pooling=cls sentiment=Good": 2,
        "kinorate_predictions_total pooling=mean sentiment=Good": 2,
        "kinorate_prediction_seconds_count pooling=cls": 2,
        "kinorate_prediction_seconds_sum pooling=mean": pytest.approx(0.003),
        "kinorate_answer_seconds_count": 2,
        f"kinorate_feedback_total asked={asked}": 1,
        "kinorate_waiting_reviews": 0,
        "kinorate_waiting_updates": 0,
        "kinorate_training_runs status=refused": 1,
        "kinorate_model_info version=invented": 1,
        "kinorate_healthy": 1,
    }
    assert {name: counted[name] for name in expected} == expected
    assert 0 <= counted["kinorate_last_poll_age_seconds"] < 30
    assert "kinorate_training_runs status=running" not in counted
    assert counted["process_resident_memory_bytes"] > 0


async def test_health_is_told(
    telegram: LocalServer, running_bot: RunningBot, monitor: httpx.AsyncClient, port: int
) -> None:
    async with running_bot(monitoring_port=port), chat_client(telegram.url) as http:
        await Person(http, ANYA).ask("/start")
        response = await monitor.get("/healthz")
    assert response.status_code == 200
    told = response.json()
    assert (told["status"], told["problems"]) == ("ok", [])
    assert told["model"] == "invented"
    assert told["waiting_reviews"] == 0
    assert 0 <= told["last_poll_seconds"] < 30


async def test_by_webhook_there_are_no_polls_to_look_at(
    telegram: LocalServer, running_bot: RunningBot, monitor: httpx.AsyncClient, port: int
) -> None:
    webhook_port = free_port()
    webhook = {
        "webhook_url": f"http://127.0.0.1:{webhook_port}/kinorate",
        "webhook_secret": "known_to-Telegram",
        "webhook_port": webhook_port,
    }
    async with (
        running_bot(monitoring_port=port, **webhook) as application,
        chat_client(telegram.url) as http,
    ):
        await Person(http, ANYA).ask("/start")
        application.parts.pulse.last_good -= 1000
        response = await monitor.get("/healthz")
        age = (await samples(monitor))["kinorate_last_poll_age_seconds"]
    assert response.status_code == 200
    assert response.json()["last_poll_seconds"] is None
    assert math.isnan(age)


async def test_reviews_that_wait_are_told(
    telegram: LocalServer, running_bot: RunningBot, monitor: httpx.AsyncClient, port: int
) -> None:
    predictor = InventedPredictor()
    predictor.gate.clear()
    async with running_bot(predictor, monitoring_port=port), chat_client(telegram.url) as http:
        anya = Person(http, ANYA)
        for number in range(20):
            await anya.send(f"{REVIEW} Часть {number}.")
        async with asyncio.timeout(60):
            while (await samples(monitor))["kinorate_waiting_reviews"] < 4:  # 16 are in the batch
                await asyncio.sleep(0.02)
        predictor.gate.set()


async def test_polls_without_an_answer_are_told(
    telegram: LocalServer, running_bot: RunningBot, monitor: httpx.AsyncClient, port: int
) -> None:
    async with running_bot(monitoring_port=port) as application, chat_client(telegram.url) as http:
        await Person(http, ANYA).ask("/start")
        application.parts.pulse.last_good -= 1000
        response = await monitor.get("/healthz")
        healthy = (await samples(monitor))["kinorate_healthy"]
    assert response.status_code == 503
    (problem,) = response.json()["problems"]
    assert re.fullmatch(r"No valid answer of Telegram since \d\d:\d\d:\d\d UTC .+\.", problem)
    assert healthy == 0


async def test_every_poll_that_raises_makes_it_ill_and_one_good_poll_well(
    telegram: LocalServer,
    running_bot: RunningBot,
    monitor: httpx.AsyncClient,
    port: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.monitoring.health.SILENCE", 0.3)
    monkeypatch.setattr("bot.delivery.polling.SECONDS_OF_POLL", 0)
    monkeypatch.setattr("bot.delivery.retries.LONGEST_PAUSE", 0.01)
    async with running_bot(monitoring_port=port), chat_client(telegram.url) as http:
        await Person(http, ANYA).ask("/start")
        assert (await monitor.get("/healthz")).status_code == 200
        await control(http, fail={"method": "getUpdates", "next": 10_000, "status": 400})
        await asyncio.sleep(0.5)
        ill = await monitor.get("/healthz")
        await control(http, fail={"method": "getUpdates", "next": 0, "status": 400})
        await Person(http, ANYA).ask("/start")
        well = await monitor.get("/healthz")
    assert "(BadRequest)" in ill.json()["problems"][0]
    assert well.json()["problems"] == []


async def test_updates_that_no_handler_can_use_are_counted(
    telegram: LocalServer, running_bot: RunningBot, monitor: httpx.AsyncClient, port: int
) -> None:
    async with running_bot(monitoring_port=port), chat_client(telegram.url) as http:
        telegram.state.updates.put("message", {"text": "nobody's"})
        await Person(http, ANYA).ask("/start")
        counted = await samples(monitor)
    assert counted["kinorate_updates_unreadable_total kind=message"] == 1


async def test_a_database_that_is_away_is_told_and_nothing_fails(
    telegram: LocalServer,
    running_bot: RunningBot,
    monitor: httpx.AsyncClient,
    port: int,
    write: Sessions,
) -> None:
    async with running_bot(monitoring_port=port), chat_client(telegram.url) as http:
        await Person(http, ANYA).ask("/start")
        async with write.begin() as session:
            await session.execute(text("DROP TABLE training_runs"))
        response = await monitor.get("/healthz")
        healthy = (await samples(monitor))["kinorate_healthy"]
    assert response.status_code == 503
    assert response.json()["problems"] == ["The database does not answer."]
    assert healthy == 0


async def test_it_starts_before_telegram_can_be_reached(
    telegram: LocalServer, new_bot: NewBot, monitor: httpx.AsyncClient, port: int
) -> None:
    await telegram.stop()
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(*new_bot(monitoring_port=port), stop))
    async with asyncio.timeout(60):
        while True:
            try:
                response = await monitor.get("/healthz")
                break
            except httpx.ConnectError:
                await asyncio.sleep(0.02)
    stop.set()
    await serving
    assert response.status_code == 503
    assert response.json()["problems"] == ["No updates are fetched."]
    with pytest.raises(httpx.ConnectError):
        await monitor.get("/healthz")


async def test_a_port_that_is_taken_is_told_in_a_sentence(new_bot: NewBot, port: int) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        with pytest.raises(BotError, match=f"MONITORING_PORT {port} can't be listened on"):
            await serve(*new_bot(monitoring_port=port), asyncio.Event())


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "["},
        {"Origin": "http://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_other_sites_learn_nothing(
    running_bot: RunningBot, monitor: httpx.AsyncClient, port: int, headers: dict[str, str]
) -> None:
    async with running_bot(monitoring_port=port):
        for place in ("/healthz", "/metrics"):
            refused = await monitor.get(place, headers=headers)
            assert refused.status_code == 403
            assert "kinorate" not in refused.text
            answer = await monitor.get(place)
            assert answer.headers["X-Frame-Options"] == "DENY"
