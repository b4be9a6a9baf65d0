"""A SQLite database has one bot; what a dead one held is free."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bot.storage.usage import sole_use
from db.address import DatabaseError
from tests.bot.processes import environment, failure

pytestmark = pytest.mark.anyio
URL = "sqlite+aiosqlite:///data/kinorate.db"
HOLD = f"""
import time
from bot.storage.usage import sole_use
with sole_use({URL!r}):
    print("held", flush=True)
    time.sleep(60)
"""


async def test_a_second_bot_ends_with_a_sentence_until_the_first_is_dead(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD], cwd=tmp_path, env=environment(), stdout=subprocess.PIPE
    ) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == b"held\n"
        status, said = await failure(tmp_path)
        assert status == 1
        assert said == (
            "Another bot uses data/kinorate.db: stop it first."
            " Several bots at once need PostgreSQL.\n"
        )
        os.kill(first.pid, signal.SIGKILL)
    status, said = await failure(tmp_path)
    assert "There are no trained models" in said  # the next thing that is looked at


def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with (
        pytest.raises(DatabaseError, match=r"kinorate\.db\.lock can't be made: "),
        sole_use(f"sqlite+aiosqlite:///{tmp_path}/data/kinorate.db"),
    ):
        pass
