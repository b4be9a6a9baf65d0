"""How the tests run side by side; and the database of a test.

A folder of tests says by its `url` which database that is.
"""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from db import migrate
from db.engine import Sessions, create_engine, reading, writing

# Before a test imports torch: two processes of tests share the cores, and threads that wait for
# each other in turns made both slower than one.
os.environ["OMP_NUM_THREADS"] = "1"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files with slow tests first, so that no process is left with one while others idle."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database with all tables, to be copied."""
    file = tmp_path_factory.mktemp("migrated") / "kinorate.db"
    migrate.upgrade(f"sqlite+aiosqlite:///{file}")
    return file


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
