"""From the bytes of a text to the text, or to nothing: never to garbled text.

Libraries that guess encodings take all capitals for Greek, or cp866's «ё» for another letter;
here the answer is known to be Russian, and what remains doubtful is refused.
"""

import codecs
from collections.abc import Iterator
from contextlib import suppress

from classifier.data.garbling import SINGLE_BYTE, Evidence, evidence

_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_WIDE = {"utf-16-le": 2, "utf-16-be": 2, "utf-32-le": 4, "utf-32-be": 4}  # bytes of a unit
_CONTINUATION = bytes(range(0x80, 0xC0))  # what a letter of UTF-8 can't begin with
_SAMPLE = 4_000  # bytes by which most encodings are ruled out
_MARGIN = 2  # of the evidence: a smaller one leaves a doubt


def decode(content: bytes) -> str | None:
    """The text; None if it is none, or no encoding is certain.

    A text that was cut in the middle of a letter loses that letter. Call it in a thread: 100 KB
    take a few tenths of a second.
    """
    for mark, encoding in _MARKS.items():
        if content.startswith(mark):
            return next(_texts(content, encoding, len(mark)), None)
    rest_of_a_letter = len(content[:3]) - len(content[:3].lstrip(_CONTINUATION))
    for text in _texts(content, "utf-8", rest_of_a_letter):
        return text
    return _guess(content)[1]


def guess_encoding(content: bytes) -> str | None:
    """The encoding of a text that has no mark and is not UTF-8, if one is certain."""
    return _guess(content)[0]


def _guess(content: bytes) -> tuple[str | None, str | None]:
    """The text whose evidence is best, if it convinces and no other text comes near it.

    With its encoding.
    """
    texts = {
        text: encoding
        for encoding, start in _decodings()
        if any(map(_may_be_right, _texts(content[:_SAMPLE], encoding, start)))
        for text in _texts(content, encoding, start)
    }
    ranked = sorted(((evidence(text), text) for text in texts), key=_balance, reverse=True)
    if not ranked or not ranked[0][0].convinces:
        return None, None
    if len(ranked) > 1 and _balance(ranked[0]) - _balance(ranked[1]) < _MARGIN:
        return None, None
    return texts[ranked[0][1]], ranked[0][1]


def _decodings() -> Iterator[tuple[str, int]]:
    """The encodings without a mark, and where in their first letter a cut may have been."""
    yield from ((encoding, 0) for encoding in SINGLE_BYTE)
    yield from ((encoding, start) for encoding, size in _WIDE.items() for start in range(size))


def _texts(content: bytes, encoding: str, start: int) -> Iterator[str]:
    """The content from `start` on as text, if it is one; a last letter that was cut is dropped."""
    with suppress(UnicodeDecodeError):
        text = codecs.getincrementaldecoder(encoding)().decode(content[start:])
        if "\0" not in text:
            yield text


def _may_be_right(text: str) -> bool:
    return evidence(text).balance > 0


def _balance(ranked: tuple[Evidence, str]) -> int:
    return ranked[0].balance
