"""All rows of one database copied to another, of either kind, in one transaction."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Column, Table, bindparam, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from db.address import DatabaseError
from db.engine import create_engine
from db.models import Base

_PAGE = 500  # rows
_LAST_GIVEN = {
    "sqlite": "SELECT seq FROM sqlite_sequence WHERE name = :table",
    "postgresql": (
        "SELECT last_value FROM pg_sequences WHERE format('%I.%I', schemaname, sequencename)"
        " = pg_get_serial_sequence(:table, :column)"
    ),
}
_GIVE_LATER_ONES = {
    "sqlite": (
        "DELETE FROM sqlite_sequence WHERE name = :table",
        "INSERT INTO sqlite_sequence (name, seq) VALUES (:table, :last)",
    ),
    "postgresql": ("SELECT setval(pg_get_serial_sequence(:table, :column), :last)",),
}


async def copy_rows(source: str, target: str) -> dict[str, int]:
    """Copy every table of the models; how many rows each. Both are at the newest revision.

    Ids go on where the source's would, so that none is given twice. Raises DatabaseError where the
    target has rows, or refuses one: it then stays as it was, as it does after a kill.
    """
    async with _connected(source, read_only=True) as here, _connected(target) as there:
        copied = {}
        for table in Base.metadata.sorted_tables:
            if await there.scalar(select(func.count()).select_from(table)):
                raise DatabaseError(f"The target must be empty, and its {table.name} has rows.")
            try:
                copied[table.name] = await _copy(here, there, table)
            except DBAPIError as error:
                reason = str(error.orig).partition("\n")[0].rstrip(".")
                raise DatabaseError(
                    f"The target refuses rows of {table.name}: {reason}."
                ) from error
        await there.commit()
    return copied


@asynccontextmanager
async def _connected(url: str, *, read_only: bool = False) -> AsyncIterator[AsyncConnection]:
    """A connection in a transaction, which is rolled back unless it is committed."""
    engine = create_engine(url)
    options: dict[str, Any] = {"read_only": read_only}
    if engine.dialect.name == "postgresql":
        options = {"postgresql_readonly": read_only, "isolation_level": "REPEATABLE READ"}
    try:
        async with engine.connect() as connection:
            yield await connection.execution_options(**options)
    finally:
        await engine.dispose()


async def _copy(here: AsyncConnection, there: AsyncConnection, table: Table) -> int:
    own = [column for column in table.columns if _refers_to_its_table(column)]
    copied = 0
    rows = await here.stream(select(table).order_by(*table.primary_key))
    async for page in rows.mappings().partitions(_PAGE):
        # It refers to another row of its table once all are there.
        alone = {column.name: None for column in own}
        await there.execute(table.insert(), [{**row, **alone} for row in page])
        copied += len(page)
    for column in own:
        await _refer(here, there, column)
    await _give_later_ids(here, there, table)
    return copied


def _refers_to_its_table(column: Column[Any]) -> bool:
    return any(key.column.table is column.table for key in column.foreign_keys)


async def _refer(here: AsyncConnection, there: AsyncConnection, column: Column[Any]) -> None:
    (key,) = column.table.primary_key
    referring = select(key.label("own"), column.label("other")).where(column.is_not(None))
    change = (
        column.table.update()
        .where(key == bindparam("own"))
        .values({column.name: bindparam("other")})
    )
    async for page in (await here.stream(referring)).mappings().partitions(_PAGE):
        await there.execute(change, [dict(row) for row in page])


async def _give_later_ids(here: AsyncConnection, there: AsyncConnection, table: Table) -> None:
    """An id that was given once, and erased, names nobody else's row."""
    column = table.autoincrement_column
    if column is None:
        return
    names = {"table": table.name, "column": column.name}
    last = await here.scalar(select(func.max(column))) or 0
    if _counts(here, table):
        last = max(last, await here.scalar(text(_LAST_GIVEN[here.dialect.name]), names) or 0)
    if last and _counts(there, table):
        for statement in _GIVE_LATER_ONES[there.dialect.name]:
            await there.execute(text(statement), names | {"last": last})


def _counts(connection: AsyncConnection, table: Table) -> bool:
    """Whether the database remembers the last id that it gave, beside the rows."""
    return connection.dialect.name != "sqlite" or bool(table.kwargs.get("sqlite_autoincrement"))
