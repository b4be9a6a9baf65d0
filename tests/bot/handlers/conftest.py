"""A bot with two admins; who needs another one has an `http` of its own."""

from collections.abc import AsyncIterator

import httpx
import pytest

from bot.local.server import LocalServer
from tests.bot.conftest import RunningBot
from tests.bot.local_client import Person, chat_client
from tests.bot.talking import BORIS, EMILY


@pytest.fixture
async def http(running_bot: RunningBot, telegram: LocalServer) -> AsyncIterator[httpx.AsyncClient]:
    async with running_bot(admin_ids=[BORIS, EMILY]), chat_client(telegram.url) as client:
        yield client


@pytest.fixture
def boris(http: httpx.AsyncClient) -> Person:
    return Person(http, BORIS)
