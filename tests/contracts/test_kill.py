"""Whatever writes for long may be killed at any moment: what it left is sound, and is finished.

Run as a script, this file is the child process that forks and kills; it does without torch, whose
threads a fork would not survive.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import pytest

from classifier.errors import ClassifierError
from classifier.files import new_folder
from classifier.registry.registry import Registry
from classifier.serving.bulk_source import BATCH
from tests.classifier.serving.invented_predictions import fake_predict, jsonl, names, run
from tests.classifier.small_versions import cycle, leftovers, next_seed

ROOT = Path(__file__).parents[2]
OPERATIONS = {
    *("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "fcntl.flock"),
    "fsync",  # which Python does not announce: `audited_fsync` does
}


class Writer(Protocol):
    kills: int  # at random moments
    longest: float  # seconds between two of them

    def work(self) -> None:
        """What is killed: short from a fresh start, or longer than all kills take to come."""

    def killed(self) -> bool:
        """Check what must hold right after a kill; whether there is work left to be killed in."""

    def finish(self) -> None:
        """Check that the work can be finished after a kill, and start afresh."""


class Versions:
    """Everything that changes a models folder: publish, promote, roll back, prune."""

    kills, longest = 30, 0.1

    def __init__(self, folder: Path, _: str, *, long: bool) -> None:
        self.root, self.long = folder / "my models", long

    def work(self) -> None:
        first = next_seed(Registry(self.root))
        for seed in count(first, 2) if self.long else [first]:
            cycle(Registry(self.root), seed)

    def killed(self) -> bool:
        registry = Registry(self.root)
        versions = registry.versions()
        for version in versions:
            version.verify()
        visible = {path.name for path in self.root.glob("[!.]*")}
        assert visible <= {version.name for version in versions} | {"champion"}
        champion = registry.champion()
        assert champion is None or champion in versions
        cycle(registry, next_seed(registry))
        assert registry.champion() is not None
        assert leftovers(self.root) == []
        return True

    def finish(self) -> None:
        shutil.rmtree(self.root)


class BulkPrediction:
    """A file predicted to a file; a later process goes on where the killed one was."""

    kills, longest = 12, 0.05

    def __init__(self, folder: Path, extension: str, *, long: bool) -> None:
        self.source = jsonl(folder / "in.jsonl", (40 if long else 2) * BATCH + 9)
        self.target = folder / f"out{extension}"
        run(self.source, self.target)
        self.whole = self.target.read_bytes()
        self.target.unlink()

    def work(self) -> None:
        def slow_predict(texts: list[str]) -> list[Any]:
            time.sleep(0.002)
            return fake_predict(texts)

        run(self.source, self.target, slow_predict)

    def killed(self) -> bool:
        return not self.target.exists()

    def finish(self) -> None:
        if self.target.exists():
            with pytest.raises(ClassifierError, match="exists already"):
                run(self.source, self.target)
        else:
            run(self.source, self.target)
        assert self.target.read_bytes() == self.whole
        assert names(self.target.parent) == ["in.jsonl", self.target.name]
        self.target.unlink()


class Folder:
    """A new folder with all that is in it, as an export makes one."""

    kills, longest = 12, 0.01

    def __init__(self, folder: Path, _: str, *, long: bool) -> None:
        self.target, self.files = folder / "exported", 3000 if long else 3

    def work(self) -> None:
        with new_folder(self.target) as unfinished:
            for number in range(self.files):
                (unfinished / f"{number}").write_text("a file")

    def killed(self) -> bool:
        whole = self.target.exists()
        assert not whole or len(names(self.target)) == self.files
        return not whole

    def finish(self) -> None:
        if not self.target.exists():
            self.work()
        assert not self.killed()
        assert [path.name for path in self.target.parent.iterdir()] == ["exported"]
        shutil.rmtree(self.target)


WRITERS: dict[str, type[Versions | BulkPrediction | Folder]] = {
    "versions": Versions,
    "folder": Folder,
    ".jsonl": BulkPrediction,
    ".csv": BulkPrediction,
}


def killed(moments: str, writer: str, folder: Path) -> int:
    """How often; counted by this file as a script."""
    done = subprocess.run(
        [sys.executable, __file__, moments, writer, folder],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
    )
    return int(done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("writer", "least"), [("versions", 30), ("folder", 3), (".jsonl", 6), (".csv", 6)]
)
def test_kill_9_at_random_moments(writer: str, least: int, in_memory: Path) -> None:
    assert killed("random", writer, in_memory) >= least


@pytest.mark.slow
@pytest.mark.parametrize(
    ("writer", "least"), [("versions", 101), ("folder", 14), (".jsonl", 21), (".csv", 21)]
)
def test_kill_9_before_every_file_operation(writer: str, least: int, in_memory: Path) -> None:
    assert killed("every", writer, in_memory) >= least  # so many places to be killed at


def fork(task: Callable[[], None]) -> int:
    """The process id of a copy of this process that does the task. Safe: there are no threads."""
    child = os.fork()
    if child == 0:
        try:
            task()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return child


def killed_at_random_moments(writer: Writer) -> int:
    """Each child goes on where the last one was killed."""
    moments = random.Random(0)
    for kills in range(writer.kills):
        child = fork(writer.work)
        time.sleep(moments.uniform(0, writer.longest))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if not writer.killed():
            return kills
        assert os.WIFSIGNALED(status)
        assert os.WTERMSIG(status) == signal.SIGKILL
    return writer.kills


def killed_before_every_operation(writer: Writer) -> int:
    """Each child starts afresh, and is killed one operation later than the last one."""
    real = os.fsync

    def audited_fsync(fd: Any) -> None:
        sys.audit("fsync")
        real(fd)

    vars(os)["fsync"] = audited_fsync
    for moment in count():

        def work_until_killed(left: int = moment) -> None:
            def kill_when_due(event: str, _: object) -> None:
                nonlocal left
                if event not in OPERATIONS:
                    return
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)

            sys.addaudithook(kill_when_due)
            writer.work()

        _, status = os.waitpid(fork(work_until_killed), 0)
        writer.killed()
        writer.finish()
        if not os.WIFSIGNALED(status):
            assert status == 0
            return moment
    raise AssertionError


def main(moments: str, name: str, folder: str) -> None:
    assert "torch" not in sys.modules
    if moments == "every":
        print(killed_before_every_operation(WRITERS[name](Path(folder), name, long=False)))
        return
    writer = WRITERS[name](Path(folder), name, long=True)
    print(killed_at_random_moments(writer))
    writer.finish()


if __name__ == "__main__":
    main(*sys.argv[1:])
