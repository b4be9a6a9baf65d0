"""A champion that can't be taken: the bot goes on with what it has, and says so, once."""

import shutil
from pathlib import Path

import httpx
import pytest

from bot.local.server import LocalServer
from bot.prediction.live_models import load_models
from classifier.registry.registry import Registry
from tests.bot.conftest import RunningBot
from tests.bot.local_client import Person, chat_client
from tests.bot.ports import free_port
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
