"""Every string is there in both languages, and Telegram takes it."""

import string
from dataclasses import fields
from typing import Any

import pytest

from bot.local.html import parse
from bot.services.problems import Problem
from bot.texts import ENGLISH, RUSSIAN, Texts, texts_for

STRINGS = [field.name for field in fields(Texts) if field.type == "str" or field.type is str]
COUNTED = [field.name for field in fields(Texts) if field.name not in STRINGS]


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_there_are_strings_and_counted_nouns() -> None:
    assert len(STRINGS) > 60
    assert COUNTED == ["reviews", "ratings", "messages"]


@pytest.mark.parametrize("name", STRINGS)
def test_both_languages_have_a_string_of_their_own(name: str) -> None:
    russian, english = getattr(RUSSIAN, name), getattr(ENGLISH, name)
    assert russian.strip()
    assert english.strip()
    assert placeholders(russian) == placeholders(english)
    assert russian != english


@pytest.mark.parametrize("texts", [RUSSIAN, ENGLISH])
@pytest.mark.parametrize("name", STRINGS)
def test_telegram_takes_every_string(texts: Texts, name: str) -> None:
    text = getattr(texts, name)
    if name.startswith(("toast_", "menu_")):
        assert "<" not in text
        assert len(text) <= (200 if name.startswith("toast_") else 256)
    else:
        plain, _entities = parse(text)
        assert 1 <= len(plain) <= 4096
    assert "\ufffd" not in text


def test_start_is_short() -> None:
    for texts in (RUSSIAN, ENGLISH):
        assert len(texts.start.split("\n\n")) == 4
        assert len(texts.start) < 400


def test_no_line_begins_with_a_dash() -> None:
    assert not [name for name in STRINGS if " —" in getattr(RUSSIAN, name)]


@pytest.mark.parametrize("problem", list(Problem))
def test_every_problem_has_its_sentence(problem: Problem) -> None:
    assert RUSSIAN.problem(problem) != ENGLISH.problem(problem)


@pytest.mark.parametrize(
    ("number", "reviews", "ratings"),
    [
        (0, "0 отзывов", "0 оценок"),
        (1, "1 отзыв", "1 оценка"),
        (2, "2 отзыва", "2 оценки"),
        (4, "4 отзыва", "4 оценки"),
        (5, "5 отзывов", "5 оценок"),
        (11, "11 отзывов", "11 оценок"),
        (12, "12 отзывов", "12 оценок"),
        (21, "21 отзыв", "21 оценка"),
        (22, "22 отзыва", "22 оценки"),
        (111, "111 отзывов", "111 оценок"),
        (122, "122 отзыва", "122 оценки"),
    ],
)
def test_russian_counts(number: int, reviews: str, ratings: str) -> None:
    assert (RUSSIAN.reviews(number), RUSSIAN.ratings(number)) == (reviews, ratings)


def test_english_counts() -> None:
    counted = [ENGLISH.reviews(number) for number in (0, 1, 2, 21)]
    assert counted == ["0 reviews", "1 review", "2 reviews", "21 reviews"]


@pytest.mark.parametrize(
    ("code", "texts"),
    [("ru", RUSSIAN), ("en", ENGLISH), ("en-GB", ENGLISH), ("EN", ENGLISH), ("de", RUSSIAN),
     ("uk", RUSSIAN), (None, RUSSIAN), ("", RUSSIAN)],
)  # fmt: skip
def test_english_only_for_those_whose_telegram_speaks_it(code: Any, texts: Texts) -> None:
    assert texts_for(code) is texts
