"""How the tests run side by side; the tiny models of tests; and the database of a test.

A folder of tests says by its `url` which database that is.
"""

import fcntl
import json
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy.ext.asyncio import AsyncEngine

from db import migrate
from db.engine import Sessions, create_engine, reading, writing
from db.models import Base
from tests.postgres import PostgresServer, postgres_server

SAMPLE = Path(__file__).resolve().parents[1] / "classifier" / "data" / "sample" / "reviews.jsonl"

# Before a test imports torch: two processes of tests share the cores, and threads that wait for
# each other in turns made both slower than one.
os.environ["OMP_NUM_THREADS"] = "1"


# A busy machine makes any example slow.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files with slow tests first, so that no process is left with one while others idle."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT folder: 2 layers of 32, random weights, 1,500 word pieces of Russian reviews."""
    from tests import tiny  # here, for the process that hands out the tests does without torch

    folder = tmp_path_factory.mktemp("encoders") / "tiny"
    tiny.write_encoder(folder)
    return folder


@pytest.fixture(scope="session")
def two_versions(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Path) -> Path:
    """A folder of two versions of tiny untrained models, to be copied; the later is champion."""
    from tests import tiny

    models = tmp_path_factory.mktemp("versions") / "models"
    for seed in (0, 1):
        tiny.publish_untrained(models, tiny_encoder, seed)
    return models


@pytest.fixture(scope="session")
def trained_on_few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose `models`, to be copied, have a champion trained on the 400 `reviews.jsonl`.

    It takes seconds to train: the processes of tests share it.
    """
    from tests import tiny

    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    folder = folder / "trained on few"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "models" / "champion").exists():
            tiny.write_encoder(folder / "encoder")
            tiny.publish_trained(folder, tiny.make_rows(400), epochs=3)
    return folder


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database with all tables, to be copied."""
    file = tmp_path_factory.mktemp("migrated") / "kinorate.db"
    migrate.upgrade(f"sqlite+aiosqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """All tests share its two databases, which they find empty: making one for each is slow."""
    with postgres_server() as server:
        for database in ("without_tables", "with_tables"):
            server.execute("postgres", f"CREATE DATABASE {database}")
        migrate.upgrade(server.url("with_tables"))
        yield server


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> str:
    """A database of PostgreSQL with all tables, which are empty."""
    tables = ", ".join(Base.metadata.tables)
    postgres.execute("with_tables", f"TRUNCATE {tables} RESTART IDENTITY")
    return postgres.url("with_tables")


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def migrated_url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of each kind with all tables, which are empty."""
    if backend == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    file = shutil.copy(request.getfixturevalue("migrated_file"), tmp_path / "kinorate.db")
    return f"sqlite+aiosqlite:///{file}"


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[PostgresServer]:
    """A server that may be restarted."""
    with postgres_server() as server:
        yield server


@pytest.fixture
async def engine(url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(url)
    yield engine
    await engine.dispose()


@pytest.fixture
def write(engine: AsyncEngine) -> Sessions:
    return writing(engine)


@pytest.fixture
def read(engine: AsyncEngine) -> Sessions:
    return reading(engine)


@pytest.fixture(scope="session")
def texts() -> list[str]:
    """Some of the sample's reviews: texts as people write them."""
    with SAMPLE.open(encoding="utf-8") as lines:
        return [json.loads(line)["content"] for line in lines][::40]
