"""What counts as a database that is away for a while."""

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as NoTurn

from bot.delivery.transactions import database_away
from db.engine import Database

pytestmark = pytest.mark.anyio


async def test_a_turn_that_does_not_come_is_tried_again_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.engine._PATIENCE", 0.2)
    database = Database(f"sqlite:///{tmp_path}/a.db")
    second = database.write()
    async with database.write.begin() as session:
        await session.execute(text("CREATE TABLE t (i INTEGER)"))
        with pytest.raises(NoTurn) as waited:
            await second.execute(text("INSERT INTO t VALUES (1)"))
    assert database_away(waited.value)
    await second.execute(text("INSERT INTO t VALUES (1)"))
    await second.close()
    await database.close()
