"""What an interrupted training goes on with: weights, optimizer state, history and the split."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from classifier.errors import ClassifierError
from classifier.files import explain_full_disk, replacing, take_lock, write_json
from classifier.training.distributed import Group
from classifier.training.optimization import Optimization

_KEPT = 3  # folders of other interrupted runs; the oldest beyond that are removed
_CHOICES = "choices.json"

History = list[dict[str, float]]


class Checkpoint:
    """One file, replaced after every epoch; a kill loses at most the epoch under way."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def save(self, model: nn.Module, optimization: Optimization | None, history: History) -> None:
        """Write the state after the last epoch of `history`, atomically; or raise DiskFullError.

        `optimization` is None after the last epoch of all: two thirds less to keep.
        """
        tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
        if optimization is not None:
            tensors |= {f"optimizer.{name}": value for name, value in optimization.tensors()}
        tensors = _apart({name: value.detach().cpu() for name, value in tensors.items()})
        with explain_full_disk(self.file), replacing(self.file) as temporary:
            save_file(tensors, temporary, metadata={"history": json.dumps(history)})

    def restore(self, model: nn.Module, optimization: Optimization) -> History:
        """Restore the saved state and return its history; an empty one where there is none."""
        try:
            with safe_open(self.file, framework="pt") as saved:
                history: History = json.loads(saved.metadata()["history"])
                of_model, of_optimizers = _tensors(saved, "model."), _tensors(saved, "optimizer.")
        except (FileNotFoundError, SafetensorError):
            return []
        model.load_state_dict(of_model)
        optimization.load(of_optimizers)
        return history

    def weights(self) -> dict[str, Tensor]:
        """The saved weights; ClassifierError for a missing or damaged file."""
        try:
            with safe_open(self.file, framework="pt") as saved:
                return _tensors(saved, "model.")
        except (FileNotFoundError, SafetensorError) as error:
            why = f"{self.file} was removed or damaged during the training."
            raise ClassifierError(why) from error


def _apart(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors, none of which shares its memory, as the word embeddings of a T5 do."""
    taken: set[int] = set()
    apart = {}
    for name, value in tensors.items():
        shared = value.numel() > 0 and value.data_ptr() in taken
        apart[name] = value.clone() if shared else value.contiguous()
        taken.add(value.data_ptr())
    return apart


def _tensors(saved: Any, prefix: str) -> dict[str, Tensor]:
    """Those of an open safetensors file whose names begin with `prefix`, without it."""
    names = [name for name in saved.keys() if name.startswith(prefix)]  # noqa: SIM118
    return {name.removeprefix(prefix): saved.get_tensor(name) for name in names}


def run_key(settings: dict[str, Any], fingerprint: str, encoder: str) -> str:
    """Equal for runs with the same settings, reviews and encoder, which is its folder's name."""
    described = json.dumps([settings, fingerprint, encoder], sort_keys=True)
    return hashlib.sha256(described.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class RunFolder:
    """The folder `<models>/.unfinished/<key>`: checkpoints, and what was chosen at the start."""

    folder: Path

    @classmethod
    @contextmanager
    def open(cls, models: Path, key: str, group: Group, *, resume: bool) -> Iterator["RunFolder"]:
        """The run `key`, emptied unless `resume`; ClassifierError if another process has it."""
        run = cls(models / ".unfinished" / key)
        lock = None
        if group.is_first:
            run.folder.mkdir(parents=True, exist_ok=True)
            lock = take_lock(run.folder, wait=False)
            if lock is None:
                raise ClassifierError(
                    f"The same training is under way in another process ({run.folder})."
                )
            for file in run.folder.glob(".*.tmp" if resume else "*"):
                file.unlink()
            run._forget_oldest()
        group.wait()
        try:
            yield run
        finally:
            if lock is not None:
                os.close(lock)

    def choices(self) -> dict[str, Any] | None:
        """What `choose` saved, or None at the start of a run."""
        try:
            kept: dict[str, Any] = json.loads((self.folder / _CHOICES).read_bytes())
        except FileNotFoundError:
            return None
        return kept

    def choose(self, choices: dict[str, Any]) -> None:
        """Save what must not change when the run is resumed."""
        write_json(self.folder / _CHOICES, choices)

    def checkpoint(self, name: str, seed: int) -> Checkpoint:
        """Of the training of a pooling with one seed."""
        return Checkpoint(self.folder / f"{name}-{seed}.safetensors")

    def what_is_there(self) -> str:
        """One sentence about what `resume` found."""
        kept = sorted(file.stem for file in self.folder.glob("*.safetensors"))
        if not kept:
            return "Nothing to resume with these settings: starting from the beginning."
        return f"Resuming after the last whole epoch of each (with its seed): {', '.join(kept)}."

    def finish(self) -> None:
        """Remove what was kept to resume the run: its result is published."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _forget_oldest(self) -> None:
        others = [folder for folder in self.folder.parent.iterdir() if folder != self.folder]
        others.sort(key=lambda folder: folder.stat().st_mtime, reverse=True)
        for folder in others[_KEPT:]:
            lock = take_lock(folder, wait=False)
            if lock is not None:  # no other process is training it
                shutil.rmtree(folder, ignore_errors=True)
                os.close(lock)
