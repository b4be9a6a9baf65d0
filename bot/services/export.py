"""All that is stored about a user, as files that Telegram takes."""

import asyncio
import json
import shutil
import time
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Any

from bot.services.error_analysis import LARGEST
from bot.storage.temporary import Temporary
from db import privacy
from db.engine import Sessions

LARGEST_PLAIN = 10_000_000  # bytes: more is zipped
_ROOM = 5_000_000
"""Bytes that a page of rows may take, and what the compressor has not written yet."""
_LONGEST_PAUSE = 0.5  # seconds


class _Part:
    """A JSON object, written some rows at a time: tables, each with some of the user's rows."""

    def __init__(self, file: Path) -> None:
        """A file .zip has the object in a file .json."""
        self.file = file
        self._raw = file.open("wb")
        self._zip: zipfile.ZipFile | None = None
        self._out: IO[bytes] = self._raw
        if file.suffix == ".zip":
            self._zip = zipfile.ZipFile(self._raw, "w", zipfile.ZIP_DEFLATED)
            self._out = self._zip.open(f"{file.stem}.json", "w", force_zip64=True)
        self._table = ""
        self._between = "{"

    @property
    def size(self) -> int:
        return self._raw.tell()

    def write(self, name: str, value: Any) -> None:
        """A value; a list continues the one of the same name."""
        text = ""
        if name != self._table:
            text = self._end_of_table() + f'{self._between}\n"{name}": '
            self._between = ""
            if isinstance(value, list):
                self._table = name
                text += "["
        if isinstance(value, list):
            for row in value:
                text += f"{self._between}\n{_json(row)}"
                self._between = ","
        else:
            text += _json(value)
            self._between = ","
        # A message may hold half a surrogate pair, which UTF-8 can't encode.
        self._out.write(text.encode("utf-8", "backslashreplace"))

    def zipped(self) -> "_Part":
        """The part so far, in a zip file; the plain file goes."""
        self._raw.close()
        part = _Part(self.file.with_suffix(".zip"))
        with self.file.open("rb") as plain:
            shutil.copyfileobj(plain, part._out)
        self.file.unlink()
        part._table, part._between = self._table, self._between
        return part

    def close(self) -> None:
        self._out.write(f"{self._end_of_table()}\n}}\n".encode())
        if self._zip is not None:
            self._out.close()
            self._zip.close()
        self._raw.close()

    def _end_of_table(self) -> str:
        if not self._table:
            return ""
        self._table, self._between = "", ","
        return "]"


class _Files:
    """The parts: one plain file if it is small, else zip files below Telegram's limit."""

    def __init__(self, stem: Path) -> None:
        self._stem = stem
        self._part = _Part(stem.with_suffix(".json"))
        self._whole: list[Path] = []

    def write(self, name: str, value: Any) -> None:
        if self._part.file.suffix == ".json" and self._part.size > LARGEST_PLAIN:
            self._part = self._part.zipped()
        elif self._part.size > LARGEST - _ROOM:
            self.close()
            number = len(self._whole) + 1
            self._part = _Part(self._stem.with_name(f"{self._stem.name}-{number}.zip"))
        self._part.write(name, value)

    def close(self) -> list[Path]:
        self._part.close()
        self._whole.append(self._part.file)
        return self._whole


@asynccontextmanager
async def export_files(
    read: Sessions, user_id: int, temporary: Temporary
) -> AsyncIterator[list[Path]]:
    """JSON files with all that is stored about the user; they are gone afterwards."""
    with temporary.folder() as folder:
        files = _Files(folder / f"kinorate-{user_id}")
        try:
            started = time.monotonic()
            async for name, value in privacy.export(read, user_id):
                await asyncio.to_thread(files.write, name, value)
                # The others' turn, for as long as this took.
                await asyncio.sleep(min(_LONGEST_PAUSE, time.monotonic() - started))
                started = time.monotonic()
        finally:
            whole = await asyncio.to_thread(files.close)
        yield whole


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)  # a row a line: indented, it takes far longer
