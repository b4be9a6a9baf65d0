"""Three bots share an inbox: killed at random, they lose nothing and answer once."""

import asyncio
import os
import random
import shutil
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from telegram import Message

from bot.local.server import LOCAL_TOKEN, LocalServer
from bot.texts import retraining
from classifier.registry.registry import Registry
from db.advisory_lock import Task
from tests.bot.cluster import PATIENCE, Cluster, cluster
from tests.bot.cluster_crowd import (
    EACH,
    EDITING,
    FORGETTING,
    MOST_WAITING,
    PEOPLE,
    SPLITTING,
    TAPPING,
    Crowd,
)
from tests.bot.crowd import invite
from tests.bot.local_client import Person, chat_client
from tests.bot.ports import free_port
from tests.bot.round_robin import RoundRobin
from tests.bot.services.test_retraining import hanging
from tests.bot.talking import BORIS, REVIEW, rating_data
from tests.postgres import PostgresServer

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

BOTS = ("one", "two", "three")
KILLS = 10
SECONDS_A_REVIEW, SECONDS_OF_WORK = 0.7, 16.0


@pytest.fixture
def server(own_postgres: PostgresServer) -> PostgresServer:
    return own_postgres


@pytest.fixture
async def telegram(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LocalServer]:
    """The local Bot API server, with a crowd."""
    invite(monkeypatch, PEOPLE)
    server = LocalServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def http(telegram: LocalServer) -> AsyncIterator[httpx.AsyncClient]:
    async with chat_client(telegram.url) as client:
        client.timeout = httpx.Timeout(PATIENCE)
        yield client


@pytest.fixture
def settings(telegram: LocalServer, tiny_models: Path) -> dict[str, object]:
    return {
        "telegram_token": LOCAL_TOKEN,
        "bot_api_url": telegram.url,
        "models": tiny_models,
        "admin_ids": "1002",
        "reviews_per_minute": 10_000,
        "waiting_reviews": 10_000,
        "seconds_a_review": 0.01,
    }


async def _harass(bots: Cluster, crowd: Crowd, begun: int, total: int, fetcher: bool) -> None:
    """Kill processes and restart the database, while the work goes on."""
    for number in range(KILLS):
        await crowd.wait_until_done(begun + (number + 1) * total // (KILLS + 1))
        if number == KILLS // 2:
            await asyncio.to_thread(bots.server.restart)
        name = random.choice(bots.names)
        if fetcher and number % 3 == 0:
            name = await bots.until_held(Task.FETCHING)
        await bots.kill(name)
        await bots.start(name)


async def _one_day(bots: Cluster, crowd: Crowd, *, fetcher: bool) -> None:
    """600 reviews, and what people do beside, under fire."""
    began, kills = time.monotonic(), bots.kills
    begun = await crowd.done()
    work = [crowd.write_all(), _harass(bots, crowd, begun, EACH * len(PEOPLE), fetcher)]
    work += [crowd.rate(user) for user in TAPPING]
    work += [crowd.edit(user) for user in EDITING]
    work += [crowd.forget(user) for user in FORGETTING]
    work += [crowd.split(user) for user in SPLITTING]
    await asyncio.gather(*work)
    sql = "SELECT count(*) FROM updates WHERE done_at IS NULL"
    async with asyncio.timeout(PATIENCE):
        while (await bots.query(sql))[0] or await crowd.done() < crowd.updates:
            bots.check()
            await asyncio.sleep(0.2)
    repeated = await crowd.check()
    kills = bots.kills - kills
    print(
        f"{len(crowd.sent)} reviews in {time.monotonic() - began:.0f} s, {kills} kills,"
        f" {repeated} answers repeated"
    )
    assert repeated <= kills


async def test_kills_lose_nothing_and_double_nothing_by_polling(
    server: PostgresServer, http: httpx.AsyncClient, settings: dict[str, object], tmp_path: Path
) -> None:
    async with cluster(server, "polling", tmp_path, **settings) as bots:
        for name in BOTS:
            await bots.start(name)
        await bots.until_ready(len(BOTS))
        await _one_day(bots, Crowd(http, bots), fetcher=True)


async def test_kills_lose_nothing_and_double_nothing_by_webhook(
    server: PostgresServer, http: httpx.AsyncClient, settings: dict[str, object], tmp_path: Path
) -> None:
    ports = [free_port() for _ in BOTS]
    balancer = RoundRobin(ports)
    balancer.start()
    settings |= {
        "webhook_url": f"http://127.0.0.1:{balancer.port}/hook",
        "webhook_secret": "a-long-secret",
    }
    async with cluster(server, "webhook", tmp_path, **settings) as bots:
        for name, port in zip(BOTS, ports, strict=True):
            await bots.start(name, webhook_port=port)
        await bots.until_ready(len(BOTS))
        await _one_day(bots, Crowd(http, bots), fetcher=False)
        print(f"requests by process: {[*balancer.passed.values()]}")
        assert all(balancer.passed.values())
    await balancer.stop()


async def test_they_act_as_one(
    server: PostgresServer,
    http: httpx.AsyncClient,
    settings: dict[str, object],
    registry: Registry,
    tmp_path: Path,
) -> None:
    """One migrates, schedules, retrains; a promoted version is taken by all who can see it."""
    ports = {name: free_port() for name in BOTS}
    copy = shutil.copytree(registry.root, tmp_path / "a folder of its own")
    async with cluster(server, "as_one", tmp_path, **settings | {"models": registry.root}) as bots:
        for name in BOTS:
            own = {"models": copy} if name == "three" else {}
            await bots.start(name, monitoring_port=ports[name], **own)
        await bots.until_ready(len(BOTS))
        assert bots.count("database migrated") == 1
        assert bots.count("this process does what is scheduled") == 1

        boris = Person(http, BORIS)
        listed = {(await boris.ask("/models", PATIENCE)).text for _ in range(5)}
        assert len(listed) == 1, "whoever is asked"
        answer = await boris.ask(REVIEW, PATIENCE)
        await boris.tap(answer.message_id, rating_data(answer, 8))
        old, new = registry.get("champion").name, registry.versions()[0].name
        registry.promote(new)
        seconds = await _until_they_answer_with(ports, {"one": new, "two": new, "three": old})
        print(f"a promoted version is taken by all in {seconds:.1f} s")
        notice = await _until_said(boris, "MODELS must be one folder for all")
        assert new in (notice.text or "")

        await boris.send("/retrain")
        trainer = await bots.until_held(Task.RETRAINING)
        await hanging(registry if trainer != "three" else Registry(copy))
        assert (await boris.ask("/retrain", PATIENCE)).text == retraining.BUSY.ru
        await bots.kill(trainer)
        _end_orphan(registry.root if trainer != "three" else copy)
        await _until_said(boris, "оборвалось")
        assert await bots.query("SELECT status FROM training_runs") == ["interrupted"]
        scheduler = await bots.until_held(Task.SCHEDULING)
        await bots.kill(scheduler)
        await bots.until_held_by_another(Task.SCHEDULING, scheduler)
        told = [one for one in await boris.from_bot() if "оборвалось" in (one.text or "")]
        assert len(told) == 1


async def _until_they_answer_with(ports: dict[str, int], models: dict[str, str]) -> float:
    """The seconds until each process has this version, as its /healthz says."""
    began = time.monotonic()
    async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(30):
        for name, model in models.items():
            while True:
                health = await client.get(f"http://127.0.0.1:{ports[name]}/healthz")
                if health.json().get("model") == model:
                    break
                await asyncio.sleep(0.1)
    return time.monotonic() - began


async def _until_said(person: Person, words: str) -> Message:
    async with asyncio.timeout(PATIENCE):
        while True:
            for message in await person.from_bot():
                if words in (message.text or ""):
                    return message
            await asyncio.sleep(0.3)


def _end_orphan(models: Path) -> None:
    """The stand-in for a training that its killed bot has left."""
    os.killpg(os.getpgid(int((models / "child").read_text())), signal.SIGKILL)


async def test_more_processes_answer_more(
    server: PostgresServer, http: httpx.AsyncClient, settings: dict[str, object], tmp_path: Path
) -> None:
    """With models that take a fixed time of their own: twice and three times as many, almost."""
    settings |= {"seconds_a_review": SECONDS_A_REVIEW, "reviews_at_once": 1}
    rates = []
    async with cluster(server, "throughput", tmp_path, **settings) as bots:
        crowd = Crowd(http, bots)
        await asyncio.gather(*(crowd.write(user) for user in [*PEOPLE] * EACH))
        for name in BOTS:
            await bots.start(name)
            await bots.until_ready(len(bots.names))
            await asyncio.sleep(5 * SECONDS_A_REVIEW)  # until it is at work
            rates.append(await _rate(crowd))
        assert crowd.updates - await crowd.done() > MOST_WAITING, "all had enough to do"
    shown = ", ".join(f"{rate:.2f}" for rate in rates)
    print(f"reviews a second by one, two, three: {shown}; at most {1 / SECONDS_A_REVIEW:.2f} each")
    assert rates[1] >= 1.8 * rates[0]
    assert rates[2] >= 2.6 * rates[0]


async def _rate(crowd: Crowd) -> float:
    """Reviews answered a second, as long as more are waiting."""
    begun, began = await crowd.done(), time.monotonic()
    await asyncio.sleep(SECONDS_OF_WORK)
    return (await crowd.done() - begun) / (time.monotonic() - began)
