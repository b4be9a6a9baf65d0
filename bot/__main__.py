"""`python -m bot`: the bot in Telegram or, without a token, in a chat page on this machine."""

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from secrets import token_urlsafe
from typing import TextIO

from bot.clock import utc_now
from bot.database import bring_up_to_date
from bot.errors import BotError
from bot.first_training import champion_of
from bot.folders import check_data_folder
from bot.logs import configure_logging
from bot.loopback import is_open
from bot.monitoring.startup import Startup
from bot.prediction.queue import Predicts
from bot.settings import Settings, load_settings
from bot.stopping import Stopped, stop_at_signals, unless
from bot.storage.usage import sole_use
from classifier.errors import ClassifierError
from classifier.memory import collect_garbage_seldom
from classifier.registry.version import Version
from db.address import DatabaseError, parse_url

logger = logging.getLogger("bot")


def main() -> int:
    """The exit status: 1 after a sentence that says what to correct."""
    os.umask(0o077)  # what people write is for nobody else on this machine
    collect_garbage_seldom()
    _open_closed_streams()
    try:
        if len(sys.argv) > 1:
            return _command()
        settings = load_settings()
        key = token_urlsafe(16)  # of the local chat
        as_text = settings.log_format == "text"
        configure_logging(settings.log_level, [key, *settings.secrets], as_text=as_text)
        check_data_folder(settings.database_url)
        with sole_use(settings.database_url):
            asyncio.run(_run(settings, key))
    except (BotError, DatabaseError, ClassifierError) as error:
        _print(str(error), sys.stderr)
        return 1
    except KeyboardInterrupt:  # before the event loop ran, which stops in order
        return 130
    except Exception:  # Python's own traceback could show the token
        logger.critical("stopped by a bug", exc_info=True)
        return 1
    return 0


def _command() -> int:
    """Do what the arguments say instead of starting the bot; the exit status."""
    from bot.commands.app import app

    try:
        app()
    except SystemExit as end:  # typer's way to return
        return end.code if isinstance(end.code, int) else 0
    return 0


async def _run(settings: Settings, key: str) -> None:
    stop = stop_at_signals()
    # Here, not above: a wrong setting is reported before the slow imports.
    from bot.monitoring.server import Monitoring

    monitoring = Monitoring.of(settings)
    if monitoring is not None:
        await monitoring.start()
    startup = monitoring.startup if monitoring is not None else Startup()
    try:
        predictor = await unless(stop, _prepare(settings, startup))
    except Stopped:
        logger.info("stopped before it was ready")
        _discard_unwritten()
        os._exit(0)  # the thread that loads can't be interrupted, and Python would wait for it
    from bot.app import build_application
    from bot.serving import serve

    async with _telegram(settings, key) as (settings, token, server):
        mode = "webhook" if settings.webhook_url else "polling"
        facts = {
            "mode": mode if settings.telegram_token else "local chat",
            "model": predictor.version,
            "database": parse_url(settings.database_url).get_backend_name(),
        }
        logger.info("starting", extra=facts)
        application = build_application(
            settings, predictor, token=token, base_url=server, monitoring=monitoring
        )
        await serve(application, settings, stop)


async def _prepare(settings: Settings, startup: Startup) -> Predicts:
    """The models to answer with and, by then, a database at the newest revision."""
    champion = await champion_of(
        settings.models,
        settings.first_training_minutes,
        startup,
        say=partial(_print, stream=sys.stdout),
    )
    await asyncio.to_thread(bring_up_to_date, settings.backups, utc_now())
    return await asyncio.to_thread(_load, champion)


def _load(champion: Version) -> Predicts:
    import torch

    from bot.prediction.live_models import load_models
    from classifier.modeling.device import compute_dtype, default_device

    if compute_dtype(default_device()) == torch.float32:
        logger.warning("no bfloat16 on this machine: predicting in float32, at half the speed")
    champion.verify()
    return load_models(champion.path)


@asynccontextmanager
async def _telegram(settings: Settings, key: str) -> AsyncIterator[tuple[Settings, str, str]]:
    """The settings, token and Bot API server to use: those of .env, or the local chat's."""
    if settings.telegram_token:
        yield settings, settings.telegram_token.get_secret_value(), settings.bot_api_url
        return
    from bot.local.people import LOCAL_ADMIN_ID
    from bot.local.server import LocalServer

    server = LocalServer(port=settings.local_port, key=key, host=settings.local_host)
    try:
        await server.start()
    except OSError as error:
        raise BotError(
            f"The local chat can't listen on {settings.local_host}, port {settings.local_port}:"
            f" {error.strerror}. Set LOCAL_HOST or LOCAL_PORT to another one."
        ) from error
    if is_open(settings.local_host):
        logger.warning(
            "LOCAL_HOST lets other machines reach the chat page: whoever has its address with the"
            " key chats as any of its people, the admin too",
            extra={"host": settings.local_host},
        )
    _print(
        f"The chat with the bot is at {server.page} (TELEGRAM_TOKEN in .env: Telegram instead)",
        sys.stdout,
    )
    try:
        admins = [*settings.admin_ids, LOCAL_ADMIN_ID]
        yield settings.model_copy(update={"admin_ids": admins}), server.token, server.url
    finally:
        await server.stop()


def _open_closed_streams() -> None:
    """Let what is printed to a closed stream go nowhere, not into a file that got its number."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(number)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115


def _print(text: str, stream: TextIO) -> None:
    """Nobody may be there to read it, which is no reason to end."""
    try:
        print(text, file=stream, flush=True)
    except OSError as error:  # the disk is full, or the reader is gone
        logger.warning("can't be printed", extra={"text": text, "error": error.strerror})


def _discard_unwritten() -> None:
    """What can't be written is no failure: Python would flush it at the end, and exit with 120."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


if __name__ == "__main__":
    status = main()
    _discard_unwritten()
    sys.exit(status)
