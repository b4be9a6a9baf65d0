"""`python -m bot`: the bot in Telegram or, without a token, in a chat page on this machine."""

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from secrets import token_urlsafe
from typing import NamedTuple, TextIO

import uvloop

from bot.clock import utc_now
from bot.database import bring_up_to_date
from bot.errors import BotError
from bot.folders import check_data_folder, check_folder
from bot.logs import configure_logging
from bot.loopback import is_open
from bot.monitoring.startup import Startup
from bot.prediction.live_models import load_models
from bot.prediction.queue import Predicts
from bot.services.first_training import FirstTraining
from bot.settings import Settings, load_settings
from bot.stopping import Stopped, stop_at_signals, unless
from bot.storage.usage import sole_use
from classifier.errors import ClassifierError
from classifier.memory import collect_garbage_seldom
from classifier.registry.registry import Registry
from classifier.registry.version import Version
from db.address import DatabaseError, parse_url

logger = logging.getLogger("bot")


class _Server(NamedTuple):
    """The Bot API server to use."""

    token: str
    url: str
    place: str = ""  # where the bot is talked with, if not in Telegram
    audience: Mapping[int, str] = {}  # the people there, each with a language


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
            uvloop.run(_run(settings, key))
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
        models = await unless(stop, _prepare(settings, startup))
    except Stopped:
        logger.info("stopped before it was ready")
        _discard_unwritten()
        os._exit(0)  # the thread that loads can't be interrupted, and Python would wait for it
    from bot.app import build_application
    from bot.serving import serve

    async with _telegram(settings, key) as (settings, server):
        mode = "webhook" if settings.webhook_url else "polling"
        facts = {
            "mode": mode if settings.telegram_token else "local chat",
            "model": None if isinstance(models, FirstTraining) else models.version,
            "database": parse_url(settings.database_url).get_backend_name(),
        }
        logger.info("starting", extra=facts)
        if isinstance(models, FirstTraining):
            _announce(models, settings, server)
        application = build_application(
            settings, models, token=server.token, base_url=server.url, monitoring=monitoring
        )
        await serve(application, settings, stop)


async def _prepare(settings: Settings, startup: Startup) -> Predicts | FirstTraining:
    """What answers: the champion, loaded, or what trains one; and a database that is up to date."""
    champion = Registry(settings.models).champion()
    if champion is None and settings.first_training_minutes is None:
        raise BotError(
            f"There are no trained models in {settings.models}: `make run` starts a bot that trains"
            " them, and so does FIRST_TRAINING_MINUTES."
        )
    if champion is None:
        check_folder(settings.models, "MODELS")
    await asyncio.to_thread(bring_up_to_date, settings.backups, utc_now())
    if champion is not None:
        return await asyncio.to_thread(_load, champion)
    assert settings.first_training_minutes is not None
    say = partial(_print, stream=sys.stdout)
    return FirstTraining(settings.models, settings.first_training_minutes, startup, say)


def _load(champion: Version) -> Predicts:
    champion.verify()
    return load_models(champion.path)


def _announce(training: FirstTraining, settings: Settings, server: _Server) -> None:
    training.say(
        f"There are no trained models in {settings.models} yet: they are trained now, for about"
        f" {training.minutes} min. The chat shows how far they are; what is sent is answered then."
    )
    training.audience = server.audience or dict.fromkeys(settings.admin_ids)
    training.ready = f"The models are trained, and the bot answers{server.place}."


@asynccontextmanager
async def _telegram(settings: Settings, key: str) -> AsyncIterator[tuple[Settings, _Server]]:
    """The settings and the Bot API server to use: those of .env, or the local chat's."""
    if settings.telegram_token:
        token = settings.telegram_token.get_secret_value()
        yield settings, _Server(token, settings.bot_api_url)
        return
    from bot.local.people import LOCAL_ADMIN_ID, USERS
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
        people = {number: user["language_code"] for number, user in USERS.items()}
        here = _Server(server.token, server.url, f" at {server.page}", people)
        yield settings.model_copy(update={"admin_ids": admins}), here
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
