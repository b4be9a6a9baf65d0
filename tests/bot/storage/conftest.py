"""A database of each kind for those who look after it."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from db import migrate
from tests.bot.processes import bot_command
from tests.postgres import PostgresServer, postgres_server

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        for database in ("first", "second"):
            server.execute("postgres", f"CREATE DATABASE {database}")
        yield server


@pytest.fixture
def empty_postgres(postgres: PostgresServer) -> str:
    """A PostgreSQL database without tables."""
    postgres.execute("second", "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    return postgres.url("second")


@pytest.fixture
def url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database with all tables, which are empty, in a folder of its own."""
    if backend == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        server.execute("first", "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        migrate.upgrade(server.url("first"))
        return server.url("first")
    (tmp_path / "data").mkdir(exist_ok=True)
    file = shutil.copy(request.getfixturevalue("migrated_file"), tmp_path / "data" / "kinorate.db")
    return f"sqlite+aiosqlite:///{file}"


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """`command(words, **settings)`: `python -m bot` with these arguments, in the test's folder."""

    return partial(bot_command, tmp_path)
