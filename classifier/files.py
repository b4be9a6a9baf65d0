"""Writing small files so that a kill or a full disk leaves the old file or the new, never half."""

import errno
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from classifier.errors import ClassifierError, DiskFullError


def write_text(path: Path, text: str) -> None:
    """Replace `path` with `text` in UTF-8: written beside it, fsynced, renamed over it.

    A link is followed. What can't be replaced (a pipe, /dev/stdout) is written straight to.
    Raises ClassifierError where it can't be written; the old file is then as it was.
    """
    try:
        with explain_full_disk(path):
            if path.exists() and not path.is_file():
                path.write_text(text, encoding="utf-8")
            else:
                _replace(path.resolve(), text)
    except OSError as error:
        raise ClassifierError(f"{path} can't be written: {error.strerror or error}.") from error


def write_json(path: Path, value: Any) -> None:
    """`write_text` of `value` as indented JSON; ValueError for NaN, which JSON does not have."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n")


def fsync(path: Path) -> None:
    """Wait until a file's content, or a folder's list of names, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def explain_full_disk(target: Path) -> Iterator[None]:
    """Turn "no space left" and "quota exceeded" into a DiskFullError that names `target`.

    The outermost has the last word: one that writes a folder names that, not the file in it.
    """
    try:
        yield
    except Exception as error:
        if not means_full_disk(error):
            raise
        raise DiskFullError(target) from error


def means_full_disk(error: Exception) -> bool:
    """Whether it is "no space left" or "quota exceeded"."""
    # By message, since safetensors raises an error of its own that carries no errno.
    full = (os.strerror(code) for code in (errno.ENOSPC, errno.EDQUOT))
    return isinstance(error, DiskFullError) or any(why in str(error) for why in full)


def _replace(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    fsync(path.parent)
