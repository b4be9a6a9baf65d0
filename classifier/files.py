"""Files and folders that a kill or a full disk never leaves half written; locks; cells of a CSV."""

import errno
import fcntl
import glob
import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from classifier.errors import ClassifierError, DiskFullError

# A spreadsheet that expects ";" or a tab between cells splits a text at each, and at line breaks.
# None of these is in the last repetition, or a run of them would be searched from each of them.
_FORMULA_BEGINS = re.compile(
    r"\A(?= *[\t\r\n]|\s*[=+\-@＝＋－＠])"
    r"|(?<=[;\t\r\n])(?=(?:\"|[^\S\t\r\n])*[=+\-@＝＋－＠])"
)


def write_text(path: Path, text: str) -> None:
    """Replace `path` with `text` in UTF-8, all or nothing.

    A link is followed. What can't be replaced (a pipe, /dev/stdout) is written to directly.
    Raises ClassifierError where it can't be written; the old file is then unchanged.
    """
    with explain_unwritable(path):
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8")
            return
        with replacing(path.resolve()) as temporary:
            temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """`write_text` of `value` as indented JSON; ValueError for NaN, which JSON does not have."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n")


def try_to_write(path: Path) -> None:
    """Raise what `write_text` would raise now, and change nothing: for use before long work."""
    with explain_unwritable(path):
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if path.exists() and not path.is_file():
            if not os.access(path, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            return
        temporary = _beside(path.resolve())
        try:
            temporary.write_bytes(b"?")
            fsync(temporary)
        finally:
            temporary.unlink(missing_ok=True)


def make_folder(path: Path) -> None:
    """Make the folder where it is missing; ClassifierError where no file can be put into it."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ClassifierError(f"{path} can't be made: {error.strerror or error}.") from error
    try_to_write(path / "a new file")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside `path` to write a file to, which replaces `path` once it is on the disk.

    An error inside the block removes it. A kill leaves it, for `remove_leftovers`.
    """
    temporary = _beside(path)
    try:
        yield temporary
        fsync(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    fsync(path.parent)


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A hidden folder beside `path` to fill, which becomes `path` once all of it is on the disk.

    An error inside the block removes it. A kill leaves it, for the next call for the same path.
    Raises ClassifierError where `path` is anything but an empty folder, or can't be made.
    """
    with explain_unwritable(path):
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            what = "is not empty" if path.is_dir() else "is no folder"
            raise ClassifierError(f"{path} {what}: name a new folder.")
        whole = path.resolve()
        remove_abandoned(whole.parent.glob(f".{glob.escape(whole.name)}.*.tmp"))

        def make() -> Path:
            temporary = _beside(whole)
            temporary.mkdir()
            return temporary

        temporary, owner = make_locked(make)
    try:
        with explain_full_disk(path):
            yield temporary
        with explain_unwritable(path):
            fsync_all(temporary)
            temporary.rename(whole)
            try:
                fsync(whole.parent)
            except OSError:
                whole.rename(temporary)
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        os.close(owner)


def remove_abandoned(folders: Iterable[Path]) -> None:
    """Remove those of the folders that no living process has locked."""
    for folder in folders:
        with suppress(OSError):  # where its owner can't be found out, it stays
            owner = take_lock(folder, wait=False)
            if owner is not None:
                os.close(owner)
                shutil.rmtree(folder, ignore_errors=True)


def fsync_all(folder: Path) -> None:
    """Wait until a folder with everything in it is on the disk."""
    for below, _, files in os.walk(folder, topdown=False):
        for path in [*(Path(below, name) for name in files), Path(below)]:
            fsync(path)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")


def remove_leftovers(path: Path) -> None:
    """Remove what killed processes left while `replacing` this path; no other may be writing it."""
    for leftover in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        leftover.unlink(missing_ok=True)


def spreadsheet_cell(value: object) -> object:
    """The value for a CSV file, with an apostrophe before what would run as a formula (CWE-1236).

    Numbers stay numbers. The wide signs count as well: spreadsheets take them for narrow ones.
    """
    return _FORMULA_BEGINS.sub("'", value) if isinstance(value, str) else value


def fsync(path: Path) -> None:
    """Wait until a file's content, or a folder's list of names, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256(path: Path) -> str:
    """Of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def link_or_copy(source: Path, target: Path) -> None:
    """A second name for a file that is never changed, or a copy of it on another disk.

    Raises OSError.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)


def take_lock(path: Path, *, wait: bool) -> int | None:
    """Lock a folder, or a file, which is created if missing, until the result is closed.

    Returns an open descriptor (a file's can be read and written), or None where another process
    holds the lock and `wait` is false. The system releases the lock when this process dies.
    `filelock` can lock neither a folder nor the file that is being written, and needs lock files
    beside them, which would have to be removed.
    """
    folder = path.is_dir()
    descriptor = os.open(path, os.O_RDONLY if folder else os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def make_locked(make: Callable[[], Path]) -> tuple[Path, int]:
    """What `make` makes, with its lock: whoever removes leftovers sees that its owner is alive.

    Made again where it was removed before it was locked.
    """
    while True:
        path = make()
        with suppress(FileNotFoundError):
            if (lock := take_lock(path, wait=False)) is not None:
                if path.exists():
                    return path, lock
                os.close(lock)


@contextmanager
def explain_unwritable(path: Path) -> Iterator[None]:
    """Turn an OSError into a ClassifierError that says that `path` can't be written, and why."""
    try:
        with explain_full_disk(path):
            yield
    except OSError as error:
        raise ClassifierError(f"{path} can't be written: {error.strerror or error}.") from error


@contextmanager
def explain_full_disk(target: Path) -> Iterator[None]:
    """Turn "no space left" and "quota exceeded" into a DiskFullError that names `target`.

    Of several around each other the outermost decides: one for a folder names the folder.
    """
    try:
        yield
    except Exception as error:
        if not means_full_disk(error):
            raise
        raise DiskFullError(target) from error


def means_full_disk(error: Exception) -> bool:
    """Whether it is "no space left" or "quota exceeded"."""
    # By message, because safetensors raises an error of its own that carries no errno.
    full = (os.strerror(code) for code in (errno.ENOSPC, errno.EDQUOT))
    return isinstance(error, DiskFullError) or any(why in str(error) for why in full)
