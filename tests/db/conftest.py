"""Each test that asks for a database runs on SQLite and on PostgreSQL.

PostgreSQL is a throw-away server from the system's packages (Debian: postgresql); without them its
half of the tests is skipped.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from db import migrate
from db.models import Base, Prediction, Review

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
NewPrediction = Callable[..., Prediction]
NewReview = Callable[..., Review]


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def new_prediction() -> NewPrediction:
    """Builds a prediction of one pooling; any column can be given."""

    def build(pooling: str, **columns: Any) -> Prediction:
        distribution = [0.0] * 8 + [0.5, 0.25, 0.25]
        usual: dict[str, Any] = {
            "model_version": "20260301T000000Z-0a1b2c3d",
            "sentiment": 2,
            "probability_bad": 0.125,
            "probability_neutral": 0.25,
            "probability_good": 0.625,
            "rating": 8,
            "rating_probabilities": distribution,
            "rating_confidence": 0.75,
            "milliseconds": 12.5,
            "created_at": NOW,
        }
        return Prediction(pooling=pooling, **usual | columns)

    return build


@pytest.fixture
def new_review(new_prediction: NewPrediction) -> NewReview:
    """Builds a review of user 1 with both predictions; any column can be given."""

    def build(update_id: int, **columns: Any) -> Review:
        usual: dict[str, Any] = {
            "user_id": 1,
            "chat_id": -(2**40),
            "message_id": update_id,
            "text": "Фильм хороший",
            "source": "private",
            "reply_message_id": update_id + 1,
            "created_at": NOW,
            "predictions": [new_prediction("cls"), new_prediction("mean")],
        }
        return Review(update_id=update_id, **usual | columns)

    return build


class PostgresServer:
    """A server that listens on a socket in its own folder, and on no port.

    All tests share two databases, which they find empty: making one for each is slow.
    """

    def __init__(self, programs: Path, folder: Path) -> None:
        self.programs, self.folder = programs, folder
        # The server refuses to run as root.
        self.user = "postgres" if os.geteuid() == 0 else None
        if self.user:
            shutil.chown(folder, self.user)

    def start(self) -> None:
        data = self.folder / "data"
        self._run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-c listen_addresses='' -c unix_socket_directories={self.folder} -c fsync=off"
        log = self.folder / "log"
        self._run("pg_ctl", "-D", data, "-l", log, "-o", options, "-w", "-t", "30", "start")
        self.execute("postgres", "CREATE DATABASE without_tables")
        self.execute("postgres", "CREATE DATABASE with_tables")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", self.folder / "data", "-m", "immediate", "-w", "stop")

    def url(self, database: str) -> str:
        return f"postgresql+asyncpg://postgres@/{database}?host={self.folder}"

    def execute(self, database: str, sql: str) -> None:
        options = ("-h", self.folder, "-U", "postgres", "-d", database)
        self._run("psql", *options, "-q", "-v", "ON_ERROR_STOP=1", "-c", sql)

    def _run(self, program: str, *arguments: str | Path) -> None:
        subprocess.run(
            [self.programs / program, *arguments],
            user=self.user,
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
            check=True,
            stdout=subprocess.DEVNULL,
            timeout=60,
        )


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    pytest.importorskip("asyncpg")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("PostgreSQL is not installed: no /usr/lib/postgresql/*/bin/initdb")
    # Not pytest's own temporary folder: the postgres user could not reach into it.
    with tempfile.TemporaryDirectory(prefix="kinorate-pg-", ignore_cleanup_errors=True) as folder:
        server = PostgresServer(found[-1].parent, Path(folder))
        try:
            server.start()
            migrate.upgrade(server.url("with_tables"))
            yield server
        finally:
            server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database with all tables, which are empty. What changes a table takes own_url instead."""
    if backend == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        tables = ", ".join(Base.metadata.tables)
        server.execute("with_tables", f"TRUNCATE {tables} RESTART IDENTITY")
        return server.url("with_tables")
    file = shutil.copy(request.getfixturevalue("migrated_file"), tmp_path / "kinorate.db")
    return f"sqlite+aiosqlite:///{file}"


@pytest.fixture
def empty_url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables."""
    if backend == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        server.execute(
            "without_tables",
            "DROP SCHEMA public CASCADE; CREATE SCHEMA public",
        )
        return server.url("without_tables")
    return f"sqlite+aiosqlite:///{tmp_path}/folder/kinorate.db"


@pytest.fixture
def own_url(empty_url: str) -> str:
    """A database with all tables, which the test may change."""
    migrate.upgrade(empty_url)
    return empty_url
