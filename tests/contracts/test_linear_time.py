"""Whatever reads a person's text takes a time that grows with its length, not with the square."""

import random
import re
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.delivery import raw_updates
from bot.local import text as local_text
from bot.services import checking
from classifier.data import duplicates, garbling, mixing
from classifier.data.tokenizer import load_tokenizer, tokenize
from classifier.data.unicode_form import normalized
from classifier.data.written_ratings import find_ratings, strip_ratings
from classifier.files import spreadsheet_cell
from classifier.reports import templates

Read = Callable[[str], object]
Input = TypeVar("Input")


def matches(pattern: re.Pattern[str]) -> Read:
    return pattern.findall


READERS: dict[str, Read] = {
    "normalized": lambda text: normalized("NFC", text),
    "find_ratings": find_ratings,
    "strip_ratings": strip_ratings,
    "check": lambda text: checking.check(text[: checking.LONGEST]),
    "links": matches(checking._LINK),
    "is_garbled": garbling.is_garbled,
    "evidence": garbling.evidence,
    "exact_duplicates": lambda text: duplicates.exact_duplicates([text]),
    "near_duplicates": lambda text: duplicates.near_duplicates([text, text + "б"]),
    "versions_of_one_text": lambda text: duplicates.versions_of_one_text([text], [text]),
    "sentences": mixing._SENTENCE_ENDS.split,
    "spreadsheet_cell": spreadsheet_cell,
    "markdown": matches(templates._MARKDOWN),
    "raw_updates": matches(raw_updates._TOKENS),
    **{f"local {name}": matches(pattern) for name, pattern in local_text._PATTERNS.items()},
}
UNITS = (
    *"а8_-.@#=;\n\t\r (\"*[<{\\★☆\x00\u200b\ufffd\ud800",
    *("а ", "8 ", "ё.", "! ", ".\n", "; ", "\n=", ";\"", "\n\n ", "\u0301\u0323", "\uff9e\u0323"),
    *("8/10, ", "8 из ", "8 8 из 10 из 10 ", "десять баллов ", "из 10 ", "моя оценка: ", "сюжет "),
    *("www.", "http://", "a.ru", "a-", "a@", "#1", "#a", '{"a":', "[SEP]", "Ð°", "æ", "пїЅ", "ААа"),
)  # fmt: skip

_SHORT, _TIMES = 4000, 5
_UNNOTICED = 0.1  # seconds


def seconds(read: Callable[[Input], object], value: Input) -> float:
    started = time.process_time()  # the processor's, which busy neighbours don't stretch
    read(value)
    return time.process_time() - started


def grows_too_fast(read: Callable[[Input], object], of_size: Callable[[int], Input]) -> bool:
    """Whether five times the length take over ten times the time; the square would be 25."""
    for _ in range(3):  # a pause of the machine may spoil one of them
        longer = seconds(read, of_size(_TIMES * _SHORT))
        if longer < _UNNOTICED or longer < 2 * _TIMES * seconds(read, of_size(_SHORT)):
            return False
    return True


@pytest.mark.parametrize("name", READERS)
def test_reading_a_repeated_piece(name: str) -> None:
    slow = [
        unit
        for unit in UNITS
        if grows_too_fast(READERS[name], lambda size, unit=unit: (unit * size)[:size])  # type: ignore[misc]
    ]
    assert not slow


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.sampled_from(UNITS), max_size=2).map("".join),
    st.lists(st.sampled_from(UNITS), min_size=2, max_size=5).map("".join),
    st.lists(st.sampled_from(UNITS), max_size=2).map("".join),
)
def test_reading_any_repeated_pieces(name: str, before: str, unit: str, after: str) -> None:
    def text_of(size: int) -> str:
        return before + unit * (size // len(unit)) + after

    assert not grows_too_fast(READERS[name], text_of)


def test_the_square_would_be_noticed() -> None:
    text = "а" + "\u0301\u0323" * (_TIMES * _SHORT // 2)
    assert grows_too_fast(lambda text: unicodedata.normalize("NFC", text), lambda size: text[:size])


def test_word_pieces_of_marks(tiny_encoder: Path) -> None:
    tokenizer = load_tokenizer(tiny_encoder)

    def read(text: str) -> object:
        return tokenize([text], tokenizer, 64, 0.5)

    for unit in ("\u0301\u0323", "а", "[SEP]", "!", "日"):
        assert not grows_too_fast(read, lambda size, unit=unit: "а" + unit * size)  # type: ignore[misc]


def sentences_in_common(count: int) -> list[str]:
    """Texts of few sentences: most of their runs of words are in most texts."""
    chance = random.Random(0)
    sentences = [" ".join(chance.choices("абвгд", k=6)) for _ in range(60)]
    return [". ".join(chance.sample(sentences, 20)) for _ in range(count)]


def of_two_words(count: int) -> list[str]:
    chance = random.Random(0)
    return [" ".join(chance.choices("аб", k=30)) for _ in range(count)]


@pytest.mark.parametrize("texts", [sentences_in_common, of_two_words])
def test_texts_of_the_same_sentences_are_compared_with_few(
    texts: Callable[[int], list[str]],
) -> None:
    assert not grows_too_fast(duplicates.near_duplicates, lambda size: texts(size // 10))
