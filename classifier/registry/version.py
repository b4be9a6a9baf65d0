"""A model version: one folder of models/, its documents, and whether it is complete."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from classifier.errors import ClassifierError
from classifier.files import sha256

MANIFEST = "manifest.json"
UNPUBLISHED = "unpublished reviews"
"""The source, in training.json, of reviews that a version from the hub came without."""
STAMP = "%Y%m%dT%H%M%SZ"  # of the time in a version's name


def version_name(stamp: str, manifest: Path) -> str:
    """`<UTC time>-<hash>`, the beginning of the manifest's SHA-256."""
    return f"{stamp}-{sha256(manifest)[:8]}"


def parsed_stamp(stamp: object) -> datetime | None:
    """The time that a version's name begins with, if it is one."""
    if not isinstance(stamp, str) or not re.fullmatch(r"\d{8}T\d{6}Z", stamp, re.ASCII):
        return None
    try:
        return datetime.strptime(stamp, STAMP).replace(tzinfo=UTC)
    except ValueError:  # the 32nd of a month
        return None


@dataclass(frozen=True)
class Version:
    """A folder of models/, read on demand."""

    path: Path

    @property
    def name(self) -> str:
        """`<UTC time>-<hash>`."""
        return self.path.name

    def metrics(self) -> dict[str, Any]:
        """The figures on the holdout: "cls", "mean" and "comparison"."""
        return self._json("metrics.json")

    def training(self) -> dict[str, Any]:
        """The data, encoder, recipe, seed and library versions it was trained with."""
        return self._json("training.json")

    def history(self) -> dict[str, Any]:
        """Loss and accuracy by epoch, for "cls" and "mean"."""
        return self._json("history.json")

    def split(self) -> dict[str, Any]:
        """The ids of the reviews in each part."""
        return self._json("split.json")

    def reference(self) -> dict[str, Any] | None:
        """The distributions that drift is measured from; versions of earlier code have none."""
        return self._json("reference.json") if (self.path / "reference.json").exists() else None

    def made(self) -> datetime:
        """When; ClassifierError for a folder whose name is no version's."""
        made = parsed_stamp(self.name.partition("-")[0])
        if made is None:
            raise ClassifierError(f"{self.path} has not the name of a model version.")
        return made

    def manifest(self) -> dict[str, dict[str, Any]]:
        """Path below this folder → its "size" and "sha256"."""
        files = self._json(MANIFEST).get("files")
        if not isinstance(files, dict) or not all(
            isinstance(entry, dict) and {"size", "sha256"} <= entry.keys()
            for entry in files.values()
        ):
            raise ClassifierError(f"{self.path / MANIFEST} is no manifest of a model version.")
        return files

    def check(self) -> None:
        """ClassifierError, naming the file, unless every file is there in its full size.

        That is cheap, and enough to tell a complete version from a half written one.
        """
        if not (self.path / MANIFEST).is_file():
            raise ClassifierError(f"{self.path} is no complete model version: no {MANIFEST} in it.")
        for name, entry in self.manifest().items():
            path = self.path / name
            try:
                size = path.stat().st_size
            except OSError as error:
                raise ClassifierError(f"{path} is missing: the version is incomplete.") from error
            if size != entry["size"]:
                raise ClassifierError(
                    f"{path} has {size} bytes, not {entry['size']}: it is half written or damaged."
                )

    def verify(self) -> None:
        """Compare every file with its size and SHA-256; ClassifierError names the one that differs.

        The manifest itself is known by the version's name, which ends in its hash.
        """
        self.check()
        if self.name != version_name(self.name.rpartition("-")[0], self.path / MANIFEST):
            raise ClassifierError(
                f"{self.path / MANIFEST} is not the one that was published under this name."
            )
        for name, entry in self.manifest().items():
            if sha256(self.path / name) != entry["sha256"]:
                raise ClassifierError(f"{self.path / name} is damaged: its SHA-256 differs.")

    def _json(self, name: str) -> dict[str, Any]:
        path = self.path / name
        try:
            value = json.loads(path.read_bytes())
        except (OSError, ValueError) as error:
            raise ClassifierError(f"{path} can't be read: {error}.") from error
        if not isinstance(value, dict):
            raise ClassifierError(f"{path} can't be read: it holds no JSON object.")
        return value
