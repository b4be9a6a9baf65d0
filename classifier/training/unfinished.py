"""A run that has not ended: what it needs to be taken up again, in a folder of its own."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifier.errors import ClassifierError
from classifier.files import take_lock, write_json
from classifier.training.checkpoint import Checkpoint
from classifier.training.distributed import Group

_KEPT = 3  # folders of other interrupted runs; the oldest beyond that go
_CHOICES = "choices.json"


def run_key(settings: dict[str, Any], fingerprint: str, encoder: str) -> str:
    """Equal for runs that would do the same: same settings, same reviews, same encoder.

    `encoder` is its folder's name: the way by which it was found may be another at each look.
    """
    described = json.dumps([settings, fingerprint, encoder], sort_keys=True)
    return hashlib.sha256(described.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class UnfinishedRun:
    """The folder `<models>/.unfinished/<key>`: checkpoints, and what was chosen at the start."""

    folder: Path

    @classmethod
    @contextmanager
    def open(
        cls, models: Path, key: str, group: Group, *, resume: bool
    ) -> Iterator["UnfinishedRun"]:
        """The run called `key`, emptied first unless `resume`; locked while it is open.

        Raises ClassifierError where another process is at the same run.
        """
        run = cls(models / ".unfinished" / key)
        lock = None
        if group.is_first:
            run.folder.mkdir(parents=True, exist_ok=True)
            lock = take_lock(run.folder, wait=False)
            if lock is None:
                raise ClassifierError(
                    f"The same training is under way in another process ({run.folder})."
                )
            run._clear(".*.tmp" if resume else "*")
            run._forget_oldest()
        group.wait()
        try:
            yield run
        finally:
            if lock is not None:
                os.close(lock)

    def choices(self) -> dict[str, Any] | None:
        """What `choose` kept, or None at the start of a run."""
        try:
            kept: dict[str, Any] = json.loads((self.folder / _CHOICES).read_bytes())
        except FileNotFoundError:
            return None
        return kept

    def choose(self, choices: dict[str, Any]) -> None:
        """Keep what must not change when the run is taken up again."""
        write_json(self.folder / _CHOICES, choices)

    def checkpoint(self, name: str, seed: int) -> Checkpoint:
        """Where a training with one seed stands: of a pooling, or "adapted" for the encoder's."""
        return Checkpoint(self.folder / f"{name}-{seed}.safetensors")

    def what_is_there(self) -> str:
        """One sentence about what `resume` found."""
        kept = sorted(file.stem for file in self.folder.glob("*.safetensors"))
        if not kept:
            return "Nothing to resume with these settings: starting from the beginning."
        return f"Resuming after the last whole epoch of each (with its seed): {', '.join(kept)}."

    def finish(self) -> None:
        """The run's result is published: remove what was kept for taking it up again."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _clear(self, pattern: str) -> None:
        for file in self.folder.glob(pattern):
            file.unlink()

    def _forget_oldest(self) -> None:
        others = [folder for folder in self.folder.parent.iterdir() if folder != self.folder]
        others.sort(key=lambda folder: folder.stat().st_mtime, reverse=True)
        for folder in others[_KEPT:]:
            lock = take_lock(folder, wait=False)
            if lock is not None:  # no other process is training it
                shutil.rmtree(folder, ignore_errors=True)
                os.close(lock)
