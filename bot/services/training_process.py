"""The process that trains a challenger: started, listened to, killed."""

import asyncio
import json
import os
import secrets
import shutil
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, NamedTuple

from db.training_data import RatedReview

COMMAND = (sys.executable, "-m", "classifier", "retrain")  # the command, without its options
NICENESS = 19  # the system's lowest priority: the bot's answers come first
# Its threads wait for each other at every step. On cores that the bot needs too, those that spin
# meanwhile hold up the ones they wait for; libgomp reads this when torch loads it.
_WAITING = {"OMP_WAIT_POLICY": "PASSIVE"}
_SECRETS = {"TELEGRAM_TOKEN", "WEBHOOK_SECRET", "DATABASE_URL"}  # training needs none
LONGEST_LINE = 2**24  # bytes; the decision comes in one, with all its figures
_ASKED_WEIGHT, _VOLUNTEERED_WEIGHT = 2.0, 1.0
"""Users who rate without being asked differ from the others: asked ones count for more."""


def environment() -> dict[str, str]:
    """This process's, without the secrets, for one that trains beside it."""
    kept = {name: value for name, value in os.environ.items() if name.upper() not in _SECRETS}
    return _WAITING | kept


class Progress(NamedTuple):
    epoch: int
    epochs: int
    share: float  # of the whole training
    seconds_left: int

    @classmethod
    def of(cls, told: dict[str, Any]) -> "Progress":
        """From a line that says how far the steps are."""
        return cls(*(told[name] for name in cls._fields))


class TrainingFailed(Exception):  # noqa: N818  (what happened, not a bug)
    """Why, in a sentence."""


class TrainingProcess:
    """One training at a time, whose temporary files are in `folder` and removed at its end."""

    def __init__(self, models: Path, command: Sequence[str] = COMMAND) -> None:
        # Another process may begin one before this one has cleared up, having taken it for dead.
        self.folder = models / ".retraining" / secrets.token_hex(4)
        self._models = models
        self._command = command
        self._process: asyncio.subprocess.Process | None = None
        self._killed = False

    async def train(
        self,
        to_learn: Sequence[RatedReview],
        held_out: Sequence[RatedReview],
        on_progress: Callable[[Progress], Awaitable[None]],
    ) -> dict[str, Any]:
        """The gate's decision about the challenger; raises TrainingFailed."""
        self._killed = False
        try:
            with ExitStack() as open_files:
                given = {"--extra": to_learn} | ({"--holdout": held_out} if held_out else {})
                files = await asyncio.to_thread(self._prepare, given, open_files)
                return await self._run(files, on_progress)
        finally:
            self._process = None
            await asyncio.to_thread(self.clear)

    def kill(self) -> None:
        """End the training now: `train` raises TrainingFailed, and leaves nothing behind."""
        self._killed = True
        self._end()

    def _end(self) -> None:
        """Kill the process, with those that it has started, if it is still running."""
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    @property
    def can_write(self) -> bool:
        """Whether a new version can be added to the models' folder."""
        return not self._models.exists() or os.access(self._models, os.W_OK)

    def clear(self) -> None:
        """Remove what the training has left."""
        shutil.rmtree(self.folder, ignore_errors=True)
        with suppress(OSError):  # other trainings' are in it, or there is none
            self.folder.parent.rmdir()

    def clear_all(self) -> None:
        """Remove what any training has left, as in a bot that was killed."""
        shutil.rmtree(self.folder.parent, ignore_errors=True)

    def _prepare(
        self, given: dict[str, Sequence[RatedReview]], open_files: ExitStack
    ) -> dict[str, int]:
        """The reviews of each option as a file without a name: who erases them leaves none."""
        self.clear()
        self.folder.mkdir(parents=True)
        files = {}
        for option, reviews in given.items():
            file = TemporaryFile(dir=self.folder)  # noqa: SIM115
            open_files.enter_context(file)
            _write(file, reviews)
            files[option] = file.fileno()
        return files

    async def _run(
        self, files: dict[str, int], on_progress: Callable[[Progress], Awaitable[None]]
    ) -> dict[str, Any]:
        options = [
            word for option, number in files.items() for word in (option, f"/dev/fd/{number}")
        ]
        options += ["--models", str(self._models), "--progress"]
        errors = self.folder / "errors.txt"
        with errors.open("wb") as stderr:
            process = self._process = await asyncio.create_subprocess_exec(
                *("nice", "-n", str(NICENESS), *self._command, *options),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=stderr,
                env=environment() | {"TMPDIR": str(self.folder.resolve())},
                pass_fds=tuple(files.values()),
                start_new_session=True,  # a group of its own, killed as a whole
                limit=LONGEST_LINE,
            )
        _give_way(process.pid)
        if self._killed:  # while it was being started
            self._end()
        decision: dict[str, Any] | None = None
        try:
            assert process.stdout is not None
            async for line in process.stdout:
                told = parsed(line)
                if "decision" in told:
                    decision = told["decision"]
                elif "share" in told:
                    await on_progress(Progress.of(told))
        finally:
            if decision is None:
                self._end()
            status = await process.wait()
        if self._killed:
            raise TrainingFailed("killed")
        if status or decision is None:
            raise TrainingFailed(await asyncio.to_thread(_last_words, errors, status))
        return decision


def _give_way(pid: int) -> None:
    """Have Linux know the priority of the process's session too.

    Where processes are in no control group, it shares the cores among sessions first, and looks at
    priorities only within each (sched(7), "The autogroup feature"): as one of two sessions, a
    training of the lowest priority took half of the cores.
    """
    with suppress(OSError):  # another system, or a kernel without that
        Path(f"/proc/{pid}/autogroup").write_text(str(NICENESS))


def _write(file: IO[bytes], reviews: Sequence[RatedReview]) -> None:
    persons: dict[int, int] = {}  # numbered: nobody's id leaves the database
    for review in reviews:
        row = {
            "review_id": f"feedback-{review.review_id}",
            "content": review.text,
            "grade10": review.rating,
            "person": persons.setdefault(review.user_id, len(persons) + 1),
            "weight": _ASKED_WEIGHT if review.asked else _VOLUNTEERED_WEIGHT,
        }
        file.write(json.dumps(row, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
    file.flush()
    file.seek(0)


def parsed(line: bytes) -> dict[str, Any]:
    """What a training tells in a line of JSON; {} where a library printed it."""
    try:
        told = json.loads(line)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def end_of(status: int, said: str) -> str:
    """How a training ended that failed, with its last words."""
    ended = f"killed by signal {-status}" if status < 0 else f"exit status {status}"
    return f"{ended}: {said[:500]}" if said else ended


def _last_words(errors: Path, status: int) -> str:
    said = errors.read_text("utf-8", errors="replace").strip().splitlines()
    return end_of(status, said[-1] if said else "")
