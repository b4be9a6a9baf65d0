"""Bring a database to the newest schema from Python: the program migrates itself when it starts.

These functions start an event loop of their own: from a running one, call them in a thread.
"""

import asyncio
from pathlib import Path

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection

from alembic import command
from db.address import DatabaseError, parse_url, sqlite_file
from db.engine import create_engine

VERSION_TABLE = "alembic_version"
"""Where Alembic keeps the database's revision."""

OLDEST_POSTGRESQL = (14,)
"""The oldest that PostgreSQL's makers still mend; tried with 15."""

SCRIPTS = Path(__file__).resolve().parent.parent / "alembic"


def upgrade(url: str) -> bool:
    """Migrate the database at `url` to the newest revision, creating it if there is none.

    One transaction: a failure or a kill leaves the schema as it was. Of several processes that
    call it at once one migrates, and the others wait: for those it is False. Raises DatabaseError
    where this program does not know the database's revision.
    """
    config = configuration(url)
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise DatabaseError(
            f"The database can't be migrated: {error}. If a newer version of this program has"
            " used it, update the program or restore a backup."
        ) from error
    return "applied" in config.attributes


def is_current(url: str) -> bool:
    """Whether the database is at the newest revision; where it isn't, back it up, then upgrade.

    Raises DatabaseError for a PostgreSQL that is too old.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite" and not sqlite_file(parsed).exists():
        return False  # looking into it would create it
    return asyncio.run(read_revision(url)) == newest()


def newest() -> str | None:
    """The revision that `upgrade` leads to."""
    return _scripts().get_current_head()


def is_known(revision: str) -> bool:
    """Whether this program can migrate from that revision, or is at it."""
    return revision in {script.revision for script in _scripts().walk_revisions()}


def configuration(url: str) -> Config:
    """Alembic's configuration for the database at `url`, whatever the working directory."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = url
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(SCRIPTS))


async def read_revision(url: str) -> str | None:
    """The database's revision, None for one without tables.

    Raises DatabaseError for a PostgreSQL that is too old.
    """

    def read(connection: Connection) -> str | None:
        return MigrationContext.configure(connection).get_current_revision()

    engine = create_engine(url)
    try:
        async with engine.connect() as connection:
            version = connection.dialect.server_version_info or ()
            if engine.dialect.name == "postgresql" and version < OLDEST_POSTGRESQL:
                raise DatabaseError(
                    f"The database's server is PostgreSQL {'.'.join(map(str, version))}:"
                    f" {OLDEST_POSTGRESQL[0]} or a later one is needed."
                )
            return await connection.run_sync(read)
    finally:
        await engine.dispose()
