"""The typer application: `python -m bot COMMAND`."""

from pathlib import Path
from typing import Annotated

import typer

from bot.clock import utc_now
from bot.commands.check import check
from bot.errors import BotError
from bot.logs import configure_logging
from bot.settings import Settings, load_settings
from bot.storage.moving import move_to
from bot.storage.restoring import restore as put_back

app = typer.Typer(
    name="python -m bot",
    help="Without a command: start the bot, in Telegram or in a chat page on this machine.",
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(check)


@app.command()
def backup(
    file: Annotated[
        Path | None, typer.Argument(help="Where to; a new file in DATA/backups by default.")
    ] = None,
) -> None:
    """Copy the database at DATABASE_URL to a file, while bots go on using it."""
    backups, now = _settings().backups, utc_now()
    if file is None:
        made = backups.make(now)
    else:
        made = file / backups.path(now).name if file.is_dir() else file
        made = backups.copy_to(made) if backups.is_there else None
    if made is None:
        raise BotError(f"There is no database yet at {backups.sqlite_file}: nothing to back up.")
    print(f"Backed up to {made} ({made.stat().st_size / 1e6:,.1f} MB).")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A backup, made by `python -m bot backup`.")],
) -> None:
    """Put a backup in the place of the database at DATABASE_URL, which no bot may be using.

    Who has erased their data since it was made is in it again: they have to be erased anew.
    """
    backups = _settings().backups
    kept = put_back(backups, file, utc_now())
    print(f"Restored {file} to {backups.sqlite_file or 'the database at DATABASE_URL'}.")
    if kept is not None:
        print(f"What was there before is in {kept}.")


@app.command()
def move(
    source: Annotated[
        str, typer.Argument(help="A SQLite file, or a database URL as DATABASE_URL is one.")
    ],
) -> None:
    """Copy everything from another database to the one at DATABASE_URL, which must be empty.

    So a bot moves from SQLite to PostgreSQL, or back. No bot may be using either. The source stays
    as it is.
    """
    url = _settings().database_url
    moved = move_to(source, url)
    for table, rows in moved.items():
        print(f"{table}: {rows:,}")
    print("All rows are moved. Start the bots with this DATABASE_URL.")


def _settings() -> Settings:
    settings = load_settings()
    configure_logging("WARNING", settings.secrets, as_text=settings.log_format == "text")
    return settings
