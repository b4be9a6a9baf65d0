"""Folders for files that exist for moments, where a kill leaves nothing for long."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from bot.storage.ownership import make_private_folder
from classifier.files import make_locked, take_lock

NAME = "temporary"
"""In the data folder."""


@dataclass(frozen=True)
class Temporary:
    """Those below `root`, which several processes may share."""

    root: Path

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """A new one, readable for this user alone, and removed with all that is in it."""
        make_private_folder(self.root)
        folder, lock = make_locked(lambda: Path(mkdtemp(dir=self.root)))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)

    def sweep(self) -> int:
        """Remove what killed processes left; how many folders."""
        swept = 0
        for folder in self.root.iterdir() if self.root.is_dir() else ():
            if folder.is_dir() and (lock := take_lock(folder, wait=False)) is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(lock)
                swept += 1
        return swept
