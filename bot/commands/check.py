"""`python -m bot check`: everything that can be wrong before a start."""

import asyncio
import os
from collections.abc import Awaitable, Coroutine
from contextlib import suppress
from typing import Any

from bot.clock import utc_now
from bot.commands.check_database import check_backups, check_database
from bot.commands.check_machine import check_champion, check_folders, check_ports, check_room
from bot.commands.check_telegram import check_telegram
from bot.commands.finding import Finding
from bot.errors import BotError
from bot.logs import configure_logging
from bot.settings import Settings, SettingsError, load_settings
from bot.storage.usage import is_in_use
from db.address import DatabaseError

SECONDS = 20.0
"""For each check, if it does not end by itself."""


def check() -> None:
    """Say what would keep the bot from starting or answering, a line each; change nothing.

    The exit status is 1 if anything is wrong, else 0; warnings don't count. Run it as the user
    that the bot runs as.
    """
    try:
        settings = load_settings()
    except SettingsError as error:
        findings = [Finding("wrong", "settings", line) for line in str(error).splitlines()]
    else:
        configure_logging("ERROR", settings.secrets)
        findings = asyncio.new_event_loop().run_until_complete(check_all(settings))
    with suppress(OSError):  # nobody reads it
        for finding in findings:
            print(finding, flush=True)
    # A thread that asks a silent name server can't be interrupted, and Python would wait for it.
    os._exit(any(finding.grade == "wrong" for finding in findings))


async def check_all(settings: Settings) -> list[Finding]:
    """All checks at once; none raises, and none takes longer than SECONDS."""
    runs = await _is_running(settings)
    now = utc_now()
    checks: dict[str, Coroutine[Any, Any, list[Finding]]] = {
        "folders": asyncio.to_thread(check_folders, settings),
        "room": asyncio.to_thread(check_room, settings),
        "champion": asyncio.to_thread(check_champion, settings),
        "ports": asyncio.to_thread(check_ports, settings, runs),
        "database": check_database(settings, runs),
        "backups": asyncio.to_thread(check_backups, settings, now),
        "Telegram": check_telegram(settings, runs),
    }
    found = await asyncio.gather(*(_bounded(name, work) for name, work in checks.items()))
    first = [Finding("ok", "settings", "each has a value that it may have")]
    if not settings.admin_ids and settings.telegram_token:
        says = "ADMIN_IDS is empty: nobody can use /stats, /models and /retrain"
        first.append(Finding("warning", "settings", says))
    return first + [finding for some in found for finding in some]


async def _bounded(name: str, work: Awaitable[list[Finding]]) -> list[Finding]:
    try:
        async with asyncio.timeout(SECONDS):
            return await work
    except TimeoutError:
        return [Finding("wrong", name, f"no answer within {SECONDS:.0f} seconds")]
    except (BotError, DatabaseError) as error:
        return [Finding("wrong", name, str(error))]


async def _is_running(settings: Settings) -> bool:
    """Whether a bot answers already: then it has the ports, and fetches the updates."""
    try:
        async with asyncio.timeout(SECONDS):
            return await is_in_use(settings.database_url)
    except Exception:  # the database's own check tells why
        return False
