"""The lines of a text file in whichever encoding its beginning shows."""

import codecs
import io
from collections.abc import Iterator
from typing import BinaryIO

from classifier.data.decoding import guess_encoding

_HEAD = 2**16  # bytes that show the encoding
_GUESSED_BY = 2**14
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins as UTF-16's does
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class EncodingError(Exception):
    """The text is in no encoding that can be told; the message is the end of a sentence."""


class Peeked(io.RawIOBase):
    """A stream that is read once, whose first bytes can be looked at before."""

    def __init__(self, stream: BinaryIO, size: int = _HEAD) -> None:
        self.head = stream.read(size)
        self._rest = stream
        self._left = self.head

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        some = self._left[: len(buffer)] or self._rest.read(len(buffer))
        self._left = self._left[len(some) :]
        buffer[: len(some)] = some
        return len(some)


def text_lines(file: BinaryIO) -> Iterator[str]:
    """Every line with its end, which may be any of \\n, \\r\\n and \\r.

    UTF-8, or what a byte order mark says. Bytes that are not UTF-8 come as lone surrogates, so
    that they spoil their own line alone; where most lines with other letters than ASCII's have
    such bytes, the encoding is another one. Raises EncodingError where it is not certain.
    """
    peeked = Peeked(file)
    encoding = _encoding_of(peeked.head)
    yield from io.TextIOWrapper(
        io.BufferedReader(peeked, _HEAD), encoding, errors="surrogateescape", newline=""
    )


def is_broken(text: str) -> bool:
    """Whether there are bytes in it that were not UTF-8, or half a character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _encoding_of(head: bytes) -> str:
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    lines = head.decode("utf-8", "surrogateescape").splitlines()
    if len(head) == _HEAD:
        lines = lines[:-1] or lines  # the last is cut, perhaps in the middle of a letter
    broken = sum(map(is_broken, lines))
    if 2 * broken <= sum(not line.isascii() for line in lines) and b"\0" not in head:
        return "utf-8"
    guessed = guess_encoding(head[:_GUESSED_BY])
    if guessed is None and 2 * broken > len(lines):
        raise EncodingError("it holds text that is not UTF-8, in an encoding that can't be told")
    return guessed or "utf-8"
