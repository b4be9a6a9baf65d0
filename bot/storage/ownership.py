"""Files that an administrator's commands leave to the bot: they belong to their folder's owner."""

import os
from pathlib import Path


def give_to_owner(path: Path) -> None:
    """Let what the administrator has made in a folder belong to the folder's owner: the bot."""
    if os.geteuid() == 0:
        folder = path.parent.stat()
        os.chown(path, folder.st_uid, folder.st_gid)


def make_private_folder(folder: Path) -> None:
    """With the parents that are missing; they belong to whom the first existing parent does."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(mode=0o700, exist_ok=True)
        give_to_owner(path)
