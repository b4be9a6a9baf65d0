"""What is kept of a run that has not ended, and who may touch it."""

import os
from pathlib import Path

import pytest

from classifier.errors import ClassifierError
from classifier.training.distributed import Group
from classifier.training.unfinished import UnfinishedRun, run_key


def start(models: Path, key: str, group: Group, resume: bool = False) -> None:
    """A run that was interrupted after one epoch of CLS."""
    with UnfinishedRun.open(models, key, group, resume=resume) as run:
        run.choose({"train": ["a"], "holdout": ["b"]})
        run.checkpoint("cls", 0).file.write_bytes(b"weights")


def test_the_key_depends_on_all_that_decides_the_outcome() -> None:
    key = run_key({"seed": 0}, "reviews", "encoder")
    assert key == run_key({"seed": 0}, "reviews", "encoder")
    others = {
        run_key({"seed": 1}, "reviews", "encoder"),
        run_key({"seed": 0}, "other reviews", "encoder"),
        run_key({"seed": 0}, "reviews", "other encoder"),
    }
    assert len(others | {key}) == 4


def test_resuming_finds_what_was_chosen_and_starting_anew_forgets_it(
    tmp_path: Path, alone: Group
) -> None:
    start(tmp_path, "key", alone)
    with UnfinishedRun.open(tmp_path, "key", alone, resume=True) as run:
        assert run.choices() == {"train": ["a"], "holdout": ["b"]}
        assert run.what_is_there().endswith("(with its seed): cls-0.")
    with UnfinishedRun.open(tmp_path, "key", alone, resume=False) as run:
        assert run.choices() is None
        assert "Nothing to resume" in run.what_is_there()


def test_a_finished_run_leaves_nothing(tmp_path: Path, alone: Group) -> None:
    start(tmp_path, "key", alone)
    with UnfinishedRun.open(tmp_path, "key", alone, resume=True) as run:
        run.finish()
    assert list((tmp_path / ".unfinished").iterdir()) == []


def test_two_processes_are_never_at_the_same_run(tmp_path: Path, alone: Group) -> None:
    with (
        UnfinishedRun.open(tmp_path, "key", alone, resume=False),
        pytest.raises(ClassifierError, match="under way in another process"),
        UnfinishedRun.open(tmp_path, "key", alone, resume=True),
    ):
        pass
    start(tmp_path, "key", alone)  # free again once the first has ended


def test_only_the_newest_interrupted_runs_are_kept(tmp_path: Path, alone: Group) -> None:
    for age, key in enumerate("abcde"):
        start(tmp_path, key, alone)
        os.utime(tmp_path / ".unfinished" / key, (1000 + age, 1000 + age))
    start(tmp_path, "new", alone)
    kept = {folder.name for folder in (tmp_path / ".unfinished").iterdir()}
    assert kept == {"new", "c", "d", "e"}


def test_an_old_run_that_is_under_way_is_not_removed(tmp_path: Path, alone: Group) -> None:
    with UnfinishedRun.open(tmp_path, "slow", alone, resume=False) as slow:
        slow.choose({"train": []})
        os.utime(slow.folder, (1, 1))
        for key in "abcd":
            start(tmp_path, key, alone)
        assert slow.choices() == {"train": []}
