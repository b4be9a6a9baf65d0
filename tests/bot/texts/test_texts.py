"""Every phrase is there in both languages, and Telegram takes it."""

import pkgutil
import string
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

from bot import texts
from bot.local.html import parse
from bot.services.checking import Problem
from bot.texts.conversation import PROBLEMS, START
from bot.texts.locale import ENGLISH, RUSSIAN, Locale, Phrase, locale_for


def phrases_in(name: str, value: object) -> Iterator[tuple[str, Phrase]]:
    if isinstance(value, Phrase):
        yield name, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from phrases_in(f"{name}[{key}]", item)
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from phrases_in(f"{name}[{index}]", item)


PHRASES = [
    pytest.param(name, phrase, id=f"{module.name}.{name}")
    for module in pkgutil.iter_modules(texts.__path__)
    for constant, value in vars(import_module(f"bot.texts.{module.name}")).items()
    for name, phrase in phrases_in(constant, value)
]


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def noun_forms(text: str) -> list[int]:
    """How many forms each counted noun has."""
    specs = [spec for _, _, spec, _ in string.Formatter().parse(text) if spec]
    return [len(spec.split("|")) for spec in specs]


def test_the_phrases_are_found() -> None:
    assert len(PHRASES) > 180


@pytest.mark.parametrize(("name", "phrase"), PHRASES)
def test_both_languages_have_a_phrase_of_their_own(name: str, phrase: Phrase) -> None:
    assert phrase.ru.strip()
    assert phrase.en.strip()
    assert placeholders(phrase.ru) == placeholders(phrase.en)
    assert phrase.ru != phrase.en
    russian, english = noun_forms(phrase.ru), noun_forms(phrase.en)
    assert set(russian) <= {3}
    assert english == [2] * len(russian)


@pytest.mark.parametrize(("name", "phrase"), PHRASES)
def test_telegram_takes_every_phrase(name: str, phrase: Phrase) -> None:
    for text in (phrase.ru, phrase.en):
        if name.startswith("TOAST_") or "_MENU[" in name:
            assert "<" not in text
            assert len(text) <= (200 if name.startswith("TOAST_") else 256)
        else:
            plain, _entities = parse(text)
            assert 1 <= len(plain) <= 4096
        assert "\ufffd" not in text
        assert " —" not in phrase.ru, "no line begins with a dash"


def test_start_is_short() -> None:
    for text in (START.ru, START.en):
        assert len(text.split("\n\n")) == 4
        assert len(text) < 400


def test_every_problem_has_its_sentence() -> None:
    assert set(PROBLEMS) == set(Problem)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0, "0 отзывов, 0 оценок"),
        (1, "1 отзыв, 1 оценка"),
        (2, "2 отзыва, 2 оценки"),
        (4, "4 отзыва, 4 оценки"),
        (5, "5 отзывов, 5 оценок"),
        (11, "11 отзывов, 11 оценок"),
        (12, "12 отзывов, 12 оценок"),
        (21, "21 отзыв, 21 оценка"),
        (22, "22 отзыва, 22 оценки"),
        (111, "111 отзывов, 111 оценок"),
        (122, "122 отзыва, 122 оценки"),
        (1_001, "1\u00a0001 отзыв, 1\u00a0001 оценка"),
    ],
)
def test_russian_counts(number: int, expected: str) -> None:
    phrase = Phrase("{reviews:отзыв|отзыва|отзывов}, {ratings:оценка|оценки|оценок}", "")
    assert RUSSIAN(phrase, reviews=number, ratings=number) == expected


def test_english_counts() -> None:
    phrase = Phrase("", "{number:review|reviews}")
    counted = [ENGLISH(phrase, number=number) for number in (0, 1, 2, 21)]
    assert counted == ["0 reviews", "1 review", "2 reviews", "21 reviews"]


@pytest.mark.parametrize(
    ("code", "locale"),
    [("ru", RUSSIAN), ("en", ENGLISH), ("en-GB", ENGLISH), ("EN", ENGLISH), ("de", RUSSIAN),
     ("uk", RUSSIAN), (None, RUSSIAN), ("", RUSSIAN)],
)  # fmt: skip
def test_english_only_for_those_whose_telegram_speaks_it(code: Any, locale: Locale) -> None:
    assert locale_for(code) is locale
