"""The database as it is before a start: there, sound, at a revision that this program knows."""

import asyncio
import sqlite3
import time
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from bot.commands.finding import Finding
from bot.settings import Settings
from bot.storage import postgresql
from bot.storage.usage import explained
from db import migrate

SECONDS_TO_LOOK = 8.0
"""How long the pages of a SQLite file are looked through; a large one is not seen to its end."""

_STEPS = 10_000  # of SQLite between two looks at the clock
OLD = timedelta(days=2)
"""An age of the newest backup at which something is wrong with a nightly one."""


async def check_database(settings: Settings, runs: bool) -> list[Finding]:
    """Raises DatabaseError where it is away."""
    file, subject = settings.backups.sqlite_file, "database"
    if file and not file.exists():
        return [Finding("ok", subject, f"{file} isn't there yet: the bot makes it")]
    findings = []
    if file and (fault := await asyncio.to_thread(_fault, file)):
        return [Finding("wrong", subject, f"{file} is damaged ({fault}): restore a backup")]
    with explained("The database at DATABASE_URL can't be used"):
        revision = await migrate.read_revision(settings.database_url)
    if revision is None:
        findings.append(Finding("ok", subject, "it has no tables yet: the bot makes them"))
    elif not migrate.is_known(revision):
        says = f"revision {revision} is of a newer version of this program: update it, or restore"
        findings.append(Finding("wrong", subject, f"{says} an older backup"))
    elif revision != migrate.newest():
        says = f"revision {revision}: the bot migrates it to {migrate.newest()} when it starts"
        findings.append(Finding("ok", subject, says))
    else:
        findings.append(Finding("ok", subject, f"revision {revision}, the newest"))
    if runs:
        says = "in use: by a running bot" if file else "in use: other connections are open"
        findings.append(Finding("ok", subject, says))
    return findings


def _fault(file: Path) -> str | None:
    """What is wrong with a SQLite file, as far as can be seen in SECONDS_TO_LOOK."""
    end = time.monotonic() + SECONDS_TO_LOOK
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=rw", uri=True)) as database:
            database.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
            (said,) = database.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
            return None
        return str(error)
    return None if said == "ok" else str(said).splitlines()[-1]


def check_backups(settings: Settings, now: datetime) -> list[Finding]:
    """How old the newest is, and whether there can be any."""
    subject = "backups"
    if settings.backups.sqlite_file is None and (missing := postgresql.missing_program()):
        return [Finding("wrong" if settings.backup_cron else "warning", subject, missing)]
    newest = settings.backups.newest()
    if newest is None:
        says = f"none yet in {settings.backups.folder}"
        return [Finding("ok" if settings.backup_cron else "warning", subject, says)]
    age = now - newest
    says = f"the newest in {settings.backups.folder} is {_age(age)} old"
    return [Finding("warning" if age > OLD else "ok", subject, says)]


def _age(age: timedelta) -> str:
    hours = age.total_seconds() / 3600
    return f"{hours:.1f} hours" if hours < 48 else f"{hours / 24:.0f} days"
