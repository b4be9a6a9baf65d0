"""The database of a test, for every folder that says by its `url` which one that is."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from db import migrate
from db.engine import Sessions, create_engine, reading, writing


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
