"""A text file is read as it was written, or refused: never as garbled text."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.data.decoding import decode
from classifier.data.garbling import SINGLE_BYTE

REVIEW = "Сюжет предсказуем, зато актёры хороши."
MARKED = ("utf-8-sig", "utf-16", "utf-32")
WIDE = ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
ENCODINGS = (*SINGLE_BYTE, *WIDE, *MARKED)
LENGTHS = (20, 30, 60, 100, 300, 2_000)
CASES = (str, str.upper, str.lower)
OFTEN = 0.97  # of the texts of 100 characters and more are read


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_file_in_any_encoding_of_cyrillic_is_read(encoding: str) -> None:
    assert decode(REVIEW.encode(encoding)) == REVIEW


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_file_cut_anywhere_is_read_right_or_refused(encoding: str, texts: list[str]) -> None:
    chance, read, tried = random.Random(encoding), 0, 0
    for number in range(120):
        length, case = LENGTHS[number % len(LENGTHS)], chance.choice(CASES)
        text = case(chance.choice(texts))
        begin = chance.randrange(max(1, len(text) - length))
        content = text[begin : begin + length].encode(encoding, "ignore")
        written = content.decode(encoding)
        first = 0 if encoding in MARKED else chance.randrange(6)
        decoded = decode(content[first : len(content) - chance.randrange(6)])
        if length >= 100:
            tried += 1
            read += decoded is not None
        if decoded is not None:
            assert decoded in written
            assert len(decoded) >= len(written) - 12
    assert read >= OFTEN * tried


@pytest.mark.parametrize(
    "text",
    [
        "Фільм чудовий, актори грають дуже переконливо, раджу всім.",
        "Фільм цікавы, акцёры граюць выдатна, усім раю паглядзець.",
    ],
)
@pytest.mark.parametrize("encoding", ["cp1251", "koi8-u", "mac-cyrillic", "iso8859-5", *WIDE])
def test_other_languages_are_read_right_or_refused(text: str, encoding: str) -> None:
    content = text.encode(encoding, "ignore")
    assert decode(content) in (content.decode(encoding), None)


@pytest.mark.parametrize(
    "content",
    [
        b"\x00\x01\x02",
        b"\x89PNG\r\n\x98\xff",
        b"\xff\xfe\x00\x00\x00",
        "Le film est génial, les acteurs sont très bons".encode("latin-1"),
        "映画はとても面白かったです、みんなに見てほしい".encode("shift-jis"),
        (REVIEW + REVIEW.encode().decode("cp1251", "ignore")).encode("cp1251"),
        REVIEW.encode() + REVIEW.encode("cp1251"),  # two encodings in one file
    ],
)
def test_a_file_without_one_certain_text_is_refused(content: bytes) -> None:
    assert not decode(content)


@given(st.binary(max_size=300))
def test_any_file_is_text_or_none(content: bytes) -> None:
    text = decode(content)
    assert text is None or "\x00" not in text


@given(st.text(max_size=300).filter(lambda text: "\x00" not in text and text[:1] != "\ufeff"))
def test_utf8_comes_back_as_it_was(text: str) -> None:
    assert decode(text.encode()) == text
