"""A file that grows over several calls, with a note of how much of it is on the disk.

    out.csv.partial        the rows so far, as JSON lines
    out.csv.partial.json   the job they belong to, and how many of them are on the disk
    out.csv                what is made of the first after the last row

A kill at any moment costs the rows that were being added.
"""

import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from classifier.errors import ClassifierError
from classifier.files import fsync, remove_leftovers, replacing, take_lock, write_json

_log = logging.getLogger(__name__)


class PartialFile:
    """The rows so far, and the note.

    Rows are on the disk before the note counts them, so what follows the counted ones, half a row
    perhaps, was interrupted by a kill.
    """

    def __init__(self, target: Path, job: dict[str, Any]) -> None:
        self.target = target
        self.path = target.with_name(f"{target.name}.partial")
        self.note = target.with_name(f"{target.name}.partial.json")
        self.job = job
        self.rows = self.rejected = 0
        self._refuse_to_overwrite()
        with self._explained():
            lock = take_lock(self.path, wait=False)
        if lock is None:
            raise ClassifierError(f"Another process is writing {self.path}.")
        self.file = os.fdopen(lock, "r+b")

    @classmethod
    @contextmanager
    def open(cls, target: Path, job: dict[str, Any]) -> Iterator["PartialFile"]:
        """Locked while it is open, and kept afterwards if it has rows.

        What an interrupted call of the same `job` left is continued; of another job, discarded.
        Raises ClassifierError where `target` exists, or another process is writing it.
        """
        partial = cls(target, job)
        with partial.file:
            try:
                partial._refuse_to_overwrite()  # another process may have finished it since
                with partial._explained():
                    partial._resume()
                yield partial
            finally:
                if not partial.rows:
                    partial.path.unlink(missing_ok=True)

    def append(self, text: str, rows: int, rejected: int) -> None:
        """Add whole rows; when it returns they are on the disk."""
        with self._explained():
            self.file.write(text.encode())
            self.file.flush()
            os.fsync(self.file.fileno())
        self.rows += rows
        self.rejected += rejected
        self._write_note()

    def finish(self, turn_into: Callable[[Path, Path], None] | None) -> None:
        """Make it the target: as it is, or by `turn_into(the rows, the file to write)`."""
        with self._explained():
            if turn_into is None:
                self.path.replace(self.target)
                fsync(self.target.parent)
            else:
                remove_leftovers(self.target)
                self._write_note(is_whole=True)
                with replacing(self.target) as temporary:
                    turn_into(self.path, temporary)
                self.path.unlink()
            self.note.unlink()

    def _write_note(self, *, is_whole: bool = False) -> None:
        counts = {"rows": self.rows, "rejected": self.rejected, "bytes": self.file.tell()}
        write_json(self.note, {**self.job, **counts, "is_whole": is_whole})

    def _refuse_to_overwrite(self) -> None:
        if not self.target.exists():
            return
        if self.note.exists() and json.loads(self.note.read_bytes()).get("is_whole"):
            self.path.unlink(missing_ok=True)  # a kill between the last steps of finish left them
        if not self.path.exists():
            self.note.unlink(missing_ok=True)
        raise ClassifierError(f"{self.target} exists already; remove it or name another file.")

    def _resume(self) -> None:
        remove_leftovers(self.note)
        note = json.loads(self.note.read_bytes()) if self.note.exists() else {}
        if self.job.items() <= note.items() and note["bytes"] <= self.path.stat().st_size:
            self.rows, self.rejected = note["rows"], note["rejected"]
            self.file.truncate(note["bytes"])
            self.file.seek(0, os.SEEK_END)
            return
        if note:
            _log.warning("%s is of another version or source: starting anew.", self.path)
        self.note.unlink(missing_ok=True)  # first, lest it count rows of the new job as its own
        self.file.truncate(0)
        self.file.seek(0)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ClassifierError(f"{self.path} can't be written: {error.strerror}.") from error


class Stream:
    """What `PartialFile` is, for a pipe or standard output: rows go out as they come."""

    def __init__(self, file: TextIO) -> None:
        self.file = file
        self.rows = self.rejected = 0

    @classmethod
    @contextmanager
    def open(cls, target: Path) -> Iterator["Stream"]:
        """Standard output for `-`."""
        if str(target) == "-":
            yield cls(sys.stdout)
        else:
            with target.open("w", encoding="utf-8") as file:
                yield cls(file)

    def append(self, text: str, rows: int, rejected: int) -> None:
        """Write whole rows."""
        self.file.write(text)
        self.file.flush()
        self.rows += rows
        self.rejected += rejected
