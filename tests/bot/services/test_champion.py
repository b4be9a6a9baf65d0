"""A champion that can't be taken: the bot goes on with what it has, and says so, once."""

import asyncio
import shutil
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from bot.local.server import LocalServer
from bot.prediction.live_models import LiveModels, load_models
from bot.services.champion import ChampionWatch, Others
from classifier.registry.registry import Registry
from db import processes
from db.engine import Database
from tests.bot.conftest import RunningBot
from tests.bot.local_client import Person, chat_client
from tests.bot.ports import free_port
from tests.bot.prediction.test_live_models import Numbered, loads_numbered
from tests.bot.talking import ANYA, BORIS, REVIEW

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.services.champion.SECONDS_BETWEEN_LOOKS", 0.05)


def damage(registry: Registry) -> None:
    """Promote another version, whose file was copied only in part."""
    first, _ = registry.versions()
    registry.promote(first.name)
    (first.path / "cls" / "model.safetensors").write_bytes(b"half")


def unmount(registry: Registry) -> None:
    registry.root.rename(registry.root.with_name("gone"))


@pytest.mark.parametrize(
    ("harm", "reason"), [(damage, "cls/model.safetensors"), (unmount, "There is no champion in")]
)
async def test_it_says_so_and_goes_on(
    harm: object,
    reason: str,
    running_bot: RunningBot,
    telegram: LocalServer,
    registry: Registry,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    champion = registry.get("champion")
    kept = shutil.copytree(registry.root, tmp_path / "kept")
    port = free_port()
    async with (
        chat_client(telegram.url) as http,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as health,
        running_bot(load_models(champion.path), monitoring_port=port),
    ):
        boris = Person(http, BORIS)
        assert callable(harm)
        harm(registry)
        (notice, *_) = await boris.wait_until(bool)
        assert reason in (notice.text or "")
        assert champion.name in (notice.text or "")
        assert await Person(http, ANYA).ask(REVIEW)
        told = (await health.get("/healthz")).json()
        assert told["status"] == "ok"
        assert told["model"] == champion.name
        assert reason in told["warnings"][0]
        assert "kinorate_champion_answers 0.0" in (await health.get("/metrics")).text
        assert len(await boris.messages()) == 1
        shutil.rmtree(registry.root, ignore_errors=True)
        shutil.copytree(kept, registry.root)
        while (await health.get("/healthz")).json()["warnings"]:
            pass
    assert caplog.text.count("the champion can't be taken") == 1


@pytest.fixture
def two_folders(registry: Registry, tmp_path: Path) -> tuple[Registry, Registry]:
    """What was to be one folder and is two, the second an old copy."""
    first, second = registry.versions()
    registry.promote(first.name)
    copy = Registry(Path(shutil.copytree(registry.root, tmp_path / "copy")))
    registry.promote(second.name)
    return registry, copy


async def test_who_does_not_share_the_folder_learns_of_it_from_the_database(
    postgres_url: str,
    two_folders: tuple[Registry, Registry],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.services.champion.SECONDS_TO_APPEAR", 0.3)
    database = Database(postgres_url)
    new, old = (
        ChampionWatch(
            LiveModels(Numbered(registry.get("champion").name), registry, loads_numbered),
            Others(database.write, registry.root.name),
        )
        for registry in two_folders
    )
    async with database.write.begin() as session:
        for registry in two_folders:
            await processes.join(session, registry.root.name, datetime.now(UTC))
    for _ in range(2):  # at first they may have noted nothing yet, and files come by and by
        for watch in (new, old):
            await watch.look()
        assert (new.trouble, old.trouble) == (None, None)
    await asyncio.sleep(0.4)
    for watch in (new, old):
        await watch.look()
    assert new.trouble is None
    champion = two_folders[0].get("champion").name
    assert f"models answers with {champion}, which was promoted later" in (old.trouble or "")
    two_folders[1].promote(champion)  # as if it were the same folder
    await old.look()
    await new.look()
    assert (new.trouble, old.trouble) == (None, None)
    await database.close()
