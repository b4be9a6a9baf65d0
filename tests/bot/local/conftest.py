"""The local server with a bot and a person at it."""

from collections.abc import AsyncIterator

import httpx
import pytest
from telegram import Bot

from bot.local.server import LocalServer
from tests.bot.crowd import Time
from tests.bot.local.bots import ANNA, telegram_bot
from tests.bot.local_client import Person, chat_client


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
async def server(clock: Time) -> AsyncIterator[LocalServer]:
    server = LocalServer(clock=clock)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def http(server: LocalServer) -> AsyncIterator[httpx.AsyncClient]:
    async with chat_client(server.url) as http:
        yield http


@pytest.fixture
async def bot(server: LocalServer) -> AsyncIterator[Bot]:
    async with telegram_bot(server) as bot:
        yield bot


@pytest.fixture
def anna(http: httpx.AsyncClient) -> Person:
    return Person(http, ANNA)
