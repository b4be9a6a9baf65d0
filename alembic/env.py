"""Run by the alembic command and by db/migrate.py: how Alembic connects to the database."""

import asyncio
import os
from logging.config import fileConfig
from typing import Any, Literal

from alembic.autogenerate.api import AutogenContext
from alembic.util.exc import CommandError
from sqlalchemy import Connection, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator

from alembic import context
from db.address import DatabaseError
from db.engine import DEFAULT_URL, create_engine
from db.models import Base

ADVISORY_LOCK = 5466474  # any number, as long as all processes of this program use the same


async def migrate(url: str) -> None:
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", leave_foreign_keys_off)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(run_migrations)
    finally:
        await engine.dispose()


def leave_foreign_keys_off(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    # A batch migration drops the old table, and with foreign keys on that deletes every row that
    # refers to it (https://sqlite.org/lang_altertable.html#otheralter).
    connection.cursor().execute("PRAGMA foreign_keys = OFF")


def run_migrations(connection: Connection) -> None:
    """Run all revisions in one transaction, while other processes wait."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        transactional_ddl=True,  # Alembic's default for SQLite is for its driver's own BEGIN
        autogenerate_plugins=["alembic.autogenerate.*", "alembic.ext.checkconstraint_byname"],
        render_item=render_item,
        on_version_apply=note_applied,
    )
    with context.begin_transaction():
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})")
        context.run_migrations()
        if connection.dialect.name == "sqlite":
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
            if broken:
                raise RuntimeError(f"the migration would leave rows without parents: {broken[:5]}")


def note_applied(*_: object, **facts: Any) -> None:
    """Tell db/migrate.py that it was this process that has migrated."""
    context.config.attributes.setdefault("applied", []).append(facts["step"])


def render_item(kind: str, item: Any, _: AutogenContext) -> str | Literal[False]:
    """Write the project's column types as SQLAlchemy's own: migrations must not import ours."""
    if kind == "type" and isinstance(item, TypeDecorator):
        return f"sa.{item.impl!r}"
    return False


if context.config.config_file_name is not None:
    fileConfig(context.config.config_file_name, disable_existing_loggers=False)

if context.is_offline_mode():
    raise SystemExit("Migrations as a script (--sql) are not supported: run them on the database.")

url = context.config.attributes.get("url") or os.environ.get("DATABASE_URL") or DEFAULT_URL
try:
    asyncio.run(migrate(url))
except DatabaseError as error:  # the alembic command shows its own errors as a line
    raise CommandError(str(error)) from error
