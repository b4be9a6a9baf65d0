"""Folders and files that this program must be able to write to, and whose they are."""

import os
import pwd
from pathlib import Path


def why_unusable(folder: Path) -> str | None:
    """What keeps this user from writing to `folder` or to what is in it, as a sentence; or None.

    A folder that is missing is fine where it can be made.
    """
    if not folder.exists():
        parent = next(path for path in folder.absolute().parents if path.exists())
        if parent.is_dir() and os.access(parent, os.W_OK | os.X_OK):
            return None
        return f"{folder} is missing and can't be made{_why(parent)}"
    if not folder.is_dir():
        return f"{folder} is a file and must be a folder."
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return f"{folder} can't be written to{_why(folder)}"
    for path in folder.iterdir():
        needed = os.R_OK | os.W_OK | (os.X_OK if path.is_dir() else 0)
        if path.name != "lost+found" and not os.access(path, needed):
            return f"{path} can't be written to{_why(path)}"
    return None


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


def _why(path: Path) -> str:
    """The end of the sentence."""
    if os.statvfs(path).f_flag & os.ST_RDONLY:
        return ": it is on a file system that is mounted read-only."
    owner, me = path.stat().st_uid, os.geteuid()
    if owner == me:
        return f": its permissions are {path.stat().st_mode & 0o777:o}, and its owner needs 700."
    return (
        f": it belongs to {_name(owner)}, and this program runs as {_name(me)}"
        f" (`chown -R {me} {path}` gives it away)."
    )


def _name(user: int) -> str:
    try:
        return f"{pwd.getpwuid(user).pw_name} (user {user})"
    except KeyError:
        return f"user {user}"
