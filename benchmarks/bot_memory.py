"""How much memory the bot holds with both models loaded, and how fast it answers."""

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from benchmarks.processes import environment, memory_mb
from bot.local.people import USERS
from bot.local.server import LOCAL_TOKEN, LocalServer
from classifier.errors import ClassifierError
from classifier.registry.registry import Registry
from classifier.registry.version import Version

_TIMEOUT = 120.0  # seconds for an answer, the first one's included
_POLL_SECONDS = 0.01


def measure(version: Version, texts: list[str]) -> dict[str, Any]:
    """Start `python -m bot` on the version, send it the texts one by one, and measure.

    It runs in a folder of its own: the user's database and their champion stay as they are.
    """
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measure(version, texts, Path(folder)))


async def _measure(version: Version, texts: list[str], folder: Path) -> dict[str, Any]:
    models = folder / "models"
    models.mkdir()
    (models / version.name).symlink_to(version.path.resolve())
    Registry(models).promote(version.name)
    server = LocalServer()
    await server.start()
    log = (folder / "bot.log").open("wb")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot"),
        cwd=folder,
        env=environment(
            TELEGRAM_TOKEN=LOCAL_TOKEN,
            BOT_API_URL=server.url,
            DATABASE_URL=f"sqlite+aiosqlite:///{folder}/bot.db",
            MODELS=str(models),
            REVIEWS_PER_MINUTE="100000",
            WEBHOOK_URL="",
            RETRAIN_CRON="",
            MONITORING_PORT="",
        ),
        stderr=log,
    )
    try:
        seconds = [await _ask(server.url, text, process) for text in texts]
        return {
            "resident_mb": memory_mb(process.pid, "VmRSS"),
            "peak_mb": memory_mb(process.pid, "VmHWM"),
            "answer_p50_ms": statistics.median(seconds[1:] or seconds) * 1000,
            "start_to_first_answer_seconds": seconds[0],
            "reviews": len(texts),
        }
    except (ClassifierError, httpx.HTTPError) as error:
        log.flush()
        last = (folder / "bot.log").read_text("utf-8").strip().splitlines()[-5:]
        raise ClassifierError(f"The bot: {error}\n" + "\n".join(last)) from error
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        log.close()
        await server.stop()


async def _ask(url: str, text: str, process: asyncio.subprocess.Process) -> float:
    """Seconds until the bot has answered the text in the local chat."""
    user = next(iter(USERS))
    where = {"user": user, "chat": user}
    started = time.perf_counter()
    async with httpx.AsyncClient(base_url=url, trust_env=False, verify=False) as chat:
        sent = await chat.post("/chat/send", json=where | {"text": text})
        sent.raise_for_status()
        last = sent.json()["messages"][-1]["message_id"]
        while time.perf_counter() - started < _TIMEOUT:
            if process.returncode is not None:
                raise ClassifierError(f"it ended with {process.returncode}.")
            heard = (await chat.get("/chat/messages", params=where)).raise_for_status().json()
            if any(m["message_id"] > last and m["from"]["is_bot"] for m in heard["messages"]):
                return time.perf_counter() - started
            await asyncio.sleep(_POLL_SECONDS)
    raise ClassifierError(f"no answer within {_TIMEOUT:.0f} seconds.")
