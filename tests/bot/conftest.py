"""A migrated database, settings, tiny models, the local Bot API server and the bot against it."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.app import Kinorate, build_application
from bot.local.server import LOCAL_TOKEN, LocalServer
from bot.prediction.queue import Predicts
from bot.serving import serve
from bot.settings import Settings
from classifier.registry.registry import Registry
from tests import tiny
from tests.bot.local_client import Person, chat_client
from tests.bot.predictors import InventedPredictor
from tests.bot.talking import ANYA

NewSettings = Callable[..., Settings]
NewBot = Callable[..., tuple[Kinorate, Settings]]
RunningBot = Callable[..., AbstractAsyncContextManager[Kinorate]]


@pytest.fixture
def url(migrated_file: Path, tmp_path: Path) -> str:
    """A database of its own for the test, migrated and empty."""
    return f"sqlite+aiosqlite:///{shutil.copy(migrated_file, tmp_path / 'kinorate.db')}"


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Path) -> Path:
    """A folder of model versions whose champion is a pair of tiny untrained models."""
    models = tmp_path_factory.mktemp("tiny") / "models"
    tiny.publish_untrained(models, tiny_encoder)
    return models


@pytest.fixture
def registry(two_versions: Path, tmp_path: Path) -> Registry:
    """Two versions of tiny models; the later one is the champion."""
    return Registry(Path(shutil.copytree(two_versions, tmp_path / "models")))


@pytest.fixture
def new_settings(url: str, tmp_path: Path) -> NewSettings:
    """`new_settings(**changes)`: for the local server and the test's own database."""

    def make(**changes: Any) -> Settings:
        usual: dict[str, Any] = {
            "telegram_token": LOCAL_TOKEN,
            "admin_ids": [1002],
            "database_url": url,
            "data": tmp_path,
            "models": tmp_path / "models",
            "reviews_per_minute": 1000,
        }
        return Settings(_env_file=None, **usual | changes)  # type: ignore[call-arg]

    return make


@pytest.fixture
def real_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a bot's training process is to find: a folder for its cache, no hub, and its share
    of the processor, which at the usual priority it gets on a busy machine too."""
    monkeypatch.setenv("KINORATE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr("bot.services.training_process.NICENESS", 0)


@pytest.fixture
async def telegram() -> AsyncIterator[LocalServer]:
    """The local Bot API server."""
    server = LocalServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def new_bot(
    telegram: LocalServer, new_settings: NewSettings, monkeypatch: pytest.MonkeyPatch
) -> NewBot:
    """`new_bot(predictor, token=…, server=…, **changes)`: what `serve` takes, but for the event."""

    def make(
        predictor: Predicts | None = None,
        token: str = LOCAL_TOKEN,
        server: str | None = None,
        **changes: Any,
    ) -> tuple[Kinorate, Settings]:
        settings = new_settings(**changes)
        if not settings.models.exists():  # an invented predictor answers, and no champion
            monkeypatch.setattr("bot.services.champion.SECONDS_BETWEEN_LOOKS", 3600)
        application = build_application(
            settings,
            predictor or InventedPredictor(),
            token=token,
            base_url=server or telegram.url,
        )
        return application, settings

    return make


@pytest.fixture
def running_bot(new_bot: NewBot) -> RunningBot:
    """`async with running_bot(predictor, **changes)`: the bot, served as `python -m bot` does."""

    @asynccontextmanager
    async def run(*arguments: Any, **changes: Any) -> AsyncIterator[Kinorate]:
        application, settings = new_bot(*arguments, **changes)
        stop = asyncio.Event()
        serving = asyncio.create_task(serve(application, settings, stop))
        try:
            yield application
        finally:
            stop.set()
            await serving

    return run


@pytest.fixture
async def http(running_bot: RunningBot, telegram: LocalServer) -> AsyncIterator[httpx.AsyncClient]:
    """The local chat, with the bot in it."""
    async with running_bot(), chat_client(telegram.url) as client:
        yield client


@pytest.fixture
def anya(http: httpx.AsyncClient) -> Person:
    """Someone alone with the bot."""
    return Person(http, ANYA)
