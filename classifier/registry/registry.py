"""Model versions on disk: a list of them, the champion, and safe changes to both.

    models/
        20250102T030405Z-1a2b3c4d/  a complete version, never changed once it is here
            manifest.json           when it was made; size and SHA-256 of every other file in it
        champion                    the champion's name, then the earlier ones, newest first
        .staging-*, .pruned-*       half written or half deleted; swept when their owner is dead
        .lock                       locked by whoever changes any of the above

Every change is one rename. Readers take no lock: they see the state before or after it. A kill
leaves nothing but files and folders that begin with a dot.
"""

import os
import re
import secrets
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path

from classifier.errors import ClassifierError
from classifier.files import (
    explain_full_disk,
    fsync,
    fsync_all,
    remove_abandoned,
    remove_leftovers,
    sha256,
    take_lock,
    write_json,
    write_text,
)
from classifier.registry.version import MANIFEST, STAMP, Version, version_name

CHAMPION = "champion"
EARLIER_CHAMPIONS = 20

_NAME = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}")
# Each entry is a choice: one of its files has to be there.
_REQUIRED = [
    *((f"{name}.json",) for name in ("metrics", "history", "split", "training")),
    ("README.md",),
    *((f"{pooling}/config.json",) for pooling in ("cls", "mean")),
    *((f"{pooling}/model.safetensors",) for pooling in ("cls", "mean")),
    *((f"{pooling}/tokenizer.json", f"{pooling}/vocab.txt") for pooling in ("cls", "mean")),
]
_PICKLES = {".bin", ".ckpt", ".joblib", ".pickle", ".pkl", ".pt", ".pth"}


@dataclass(frozen=True)
class Staging:
    """A hidden folder to write a version into; `publish` makes it visible, all at once."""

    path: Path
    stamp: str
    registry: "Registry"

    def seal(self) -> Path:
        """Check, write the manifest and fsync everything; returns the manifest.

        Raises ClassifierError for a missing or empty file, a link, or a pickle.
        """
        names = sorted(
            path.relative_to(self.path).as_posix()
            for path in self.path.rglob("*")
            if path.is_symlink() or not path.is_dir()
        )
        for fault in self._faults(names):
            raise ClassifierError(f"The new model version can't be published: {fault}.")
        manifest = {
            name: {"size": (self.path / name).stat().st_size, "sha256": sha256(self.path / name)}
            for name in names
        }
        write_json(self.path / MANIFEST, {"made": self.stamp, "files": manifest})
        fsync_all(self.path)
        return self.path / MANIFEST

    def publish(self) -> Version:
        """`seal` it, and rename it into place."""
        target = self.registry.root / version_name(self.stamp, self.seal())
        with self.registry._locked():
            if target.exists():
                raise ClassifierError(f"{target} exists: the same version was published before.")
            self.path.rename(target)
            try:
                fsync(target.parent)
            except OSError:
                target.rename(self.path)
                raise
        return Version(target)

    def _faults(self, names: list[str]) -> Iterator[str]:
        for name in names:
            path = self.path / name
            if path.is_symlink() or not path.is_file():
                yield f"{name} is a link or no plain file"
            if path.suffix.lower() in _PICKLES:
                yield f"{name} is a pickle, which would run code when loaded; save safetensors"
        for choice in _REQUIRED:
            files = (self.path / name for name in choice)
            if not any(path.is_file() and path.stat().st_size for path in files):
                yield f"{' or '.join(choice)} is missing or empty"


class Registry:
    """The versions below one folder, which need not exist yet."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def versions(self) -> list[Version]:
        """The complete versions, oldest first; anything else in the folder is ignored."""
        found = []
        for name in filter(_NAME.fullmatch, self._folders()):
            version = Version(self.root / name)
            with suppress(ClassifierError):
                version.check()
                found.append(version)
        return found

    def get(self, name: str) -> Version:
        """The version of that name, or the only one whose name begins with it, or the "champion".

        Raises ClassifierError for none, for several, and for one that is not complete (as
        `Version.check`; contents are compared by `Version.verify` alone).
        """
        if name == CHAMPION:
            if champion := self.champion():
                return champion
            raise ClassifierError(f"{self.root} has no champion yet: train, or promote a version.")
        folders = self._folders()
        matches = [folder for folder in folders if name and folder.startswith(name)]
        if name in folders:
            matches = [name]
        if not matches:
            near = get_close_matches(name, folders, n=3, cutoff=0.4) or folders[-3:]
            hint = f"the nearest are {', '.join(near)}" if near else "there is none yet"
            raise ClassifierError(f"{self.root} has no version {name!r}: {hint}.")
        if len(matches) > 1:
            raise ClassifierError(f"{name!r} could be any of {', '.join(matches)}.")
        version = Version(self.root / matches[0])
        version.check()
        return version

    def champion(self) -> Version | None:
        """The version that answers users, if any; ClassifierError where it is not complete."""
        names = self._champions()
        while names:
            version = Version(self.root / names[0])
            try:
                version.check()
                return version
            except ClassifierError as error:
                before, names = names, self._champions()
                # Another process may have changed the champion, and pruned, since they were read.
                if names[:1] == before[:1]:
                    raise ClassifierError(
                        f"No usable champion: {error} Promote another version, or roll back."
                    ) from error
        return None

    @contextmanager
    def stage(self, now: datetime) -> Iterator[Staging]:
        """A folder to write a version into; unless it is published, nothing of it remains.

        `now` is an aware time and becomes part of the name. A full disk, wherever it is met
        inside the block, becomes a ClassifierError.
        """
        if now.tzinfo is None:
            raise ValueError("now must be aware of its time zone")
        with explain_full_disk(self.root):
            with self._locked():
                self._sweep()
                path = self.root / f".staging-{secrets.token_hex(4)}"
                path.mkdir()
                owner = take_lock(path, wait=False)  # shows `_sweep` that its owner is alive
                assert owner is not None
            try:
                yield Staging(path, now.astimezone(UTC).strftime(STAMP), self)
            finally:
                shutil.rmtree(path, ignore_errors=True)  # After `publish` there is none.
                os.close(owner)

    def promote(self, name: str) -> Version:
        """Make a version that passes `verify` the champion; the present one is remembered."""
        with self._locked():
            version = self.get(name)
            version.verify()
            champions = self._champions()
            if champions[:1] != [version.name]:
                self._write_champions([version.name, *champions])
            return version

    def promoted_at(self) -> datetime | None:
        """When the champion became it; None where there is none."""
        try:
            changed = (self.root / CHAMPION).stat().st_mtime
        except OSError:
            return None
        return datetime.fromtimestamp(changed, UTC)

    def rollback(self) -> Version:
        """Make the latest earlier champion champion again; ClassifierError without a sound one."""
        with self._locked():
            champions = self._after_rollback()
            if not champions:
                raise ClassifierError(f"{self.root} has no earlier champion to roll back to.")
            version = Version(self.root / champions[0])
            version.verify()
            self._write_champions(champions)
            return version

    def earlier_champion(self) -> Version | None:
        """The version that a rollback would make the champion."""
        champions = self._after_rollback()
        return Version(self.root / champions[0]) if champions else None

    def prune(self, keep: int) -> list[str]:
        """Delete all but the newest `keep` versions; returns the names of those deleted.

        The champion and the version that a rollback would reach stay, whatever their age.
        """
        if keep < 0:
            raise ClassifierError(f"The number of versions to keep can't be negative ({keep}).")
        with self._locked():
            self._sweep()
            names = [version.name for version in self.versions()]
            kept = {*names[::-1][:keep], *self._champions()[:1], *self._after_rollback()[:1]}
            return self._delete([name for name in names if name not in kept])

    def discard(self, names: Collection[str]) -> list[str]:
        """Delete what killed processes left, and those of these versions that were never champion.

        Returns the names of the versions deleted.
        """
        with self._locked():
            self._sweep()
            names = set(names) - set(self._champions())
            return self._delete([one.name for one in self.versions() if one.name in names])

    def _delete(self, names: list[str]) -> list[str]:
        """Only ever called with the lock held; a kill leaves a hidden folder, which is swept."""
        for name in names:
            hidden = (self.root / name).rename(self.root / f".pruned-{name}")
            fsync(self.root)
            shutil.rmtree(hidden, ignore_errors=True)
        return names

    def _folders(self) -> list[str]:
        if not self.root.is_dir():
            return []
        return sorted(
            path.name
            for path in self.root.iterdir()
            if path.is_dir() and not path.name.startswith(".")
        )

    def _champions(self) -> list[str]:
        """The champion and the earlier ones, newest first, whether or not they still exist."""
        try:
            return (self.root / CHAMPION).read_text(encoding="utf-8").split()
        except FileNotFoundError:
            return []
        except (OSError, ValueError) as error:
            raise ClassifierError(f"{self.root / CHAMPION} can't be read: {error}.") from error

    def _after_rollback(self) -> list[str]:
        """What `_champions` would be after a rollback; empty if there is no earlier one."""
        champions = self._champions()
        complete = {version.name for version in self.versions()} - set(champions[:1])
        for position, name in enumerate(champions):
            if name in complete:
                return champions[position:]
        return []

    def _write_champions(self, names: list[str]) -> None:
        text = "".join(f"{name}\n" for name in names[: 1 + EARLIER_CHAMPIONS])
        write_text(self.root / CHAMPION, text)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the lock of models/.lock, waiting for it."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            lock = take_lock(self.root / ".lock", wait=True)
        except OSError as error:
            raise ClassifierError(f"{self.root} can't be written to: {error.strerror}.") from error
        assert lock is not None
        with os.fdopen(lock):
            yield

    def _sweep(self) -> None:
        """Only ever called with the lock held."""
        remove_abandoned(self.root.glob(".staging-*"))
        for folder in self.root.glob(".pruned-*"):
            shutil.rmtree(folder, ignore_errors=True)
        remove_leftovers(self.root / CHAMPION)
