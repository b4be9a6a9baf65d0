"""Whether the bot can write to its folders, while others are at work in them."""

import os
from pathlib import Path

import pytest

from bot.folders import check_data_folder


def test_a_log_that_sqlite_removes_meanwhile_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last process that closes a database removes its log and its index."""
    database, log = tmp_path / "k.db", tmp_path / "k.db-wal"
    database.touch()
    log.touch()
    access = os.access

    def access_too_late(path: Path, mode: int) -> bool:
        log.unlink(missing_ok=True)
        return access(path, mode)

    monkeypatch.setattr("os.access", access_too_late)
    check_data_folder(f"sqlite+aiosqlite:///{database}")
    assert database.exists()
    assert not log.exists()
