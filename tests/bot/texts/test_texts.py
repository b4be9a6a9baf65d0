"""Every string is there in both languages, and Telegram takes it."""

import string
from dataclasses import fields
from typing import Any

import pytest

from bot.local.html import parse
from bot.services.checking import Problem
from bot.texts.admin import ENGLISH_ADMIN, RUSSIAN_ADMIN, admin_texts_for
from bot.texts.drift import ENGLISH_DRIFT, RUSSIAN_DRIFT, drift_texts_for
from bot.texts.en import ENGLISH
from bot.texts.error_analysis import ENGLISH_ERRORS, RUSSIAN_ERRORS
from bot.texts.languages import texts_for
from bot.texts.models import ENGLISH_MODELS, RUSSIAN_MODELS, model_texts_for
from bot.texts.retraining import ENGLISH_RETRAINING, RUSSIAN_RETRAINING, retraining_texts_for
from bot.texts.ru import RUSSIAN
from bot.texts.statistics import ENGLISH_STATISTICS, RUSSIAN_STATISTICS
from bot.texts.texts import Texts

LANGUAGES: list[tuple[Any, Any]] = [
    (RUSSIAN, ENGLISH),
    (RUSSIAN_ADMIN, ENGLISH_ADMIN),
    (RUSSIAN_MODELS, ENGLISH_MODELS),
    (RUSSIAN_RETRAINING, ENGLISH_RETRAINING),
    (RUSSIAN_DRIFT, ENGLISH_DRIFT),
    (RUSSIAN_STATISTICS, ENGLISH_STATISTICS),
    (RUSSIAN_ERRORS, ENGLISH_ERRORS),
]
"""Every group of texts; a new one joins them here."""

COUNTED = [field.name for field in fields(Texts) if callable(getattr(RUSSIAN, field.name))]
PAIRS = [
    pytest.param(
        field.name, getattr(russian, field.name), getattr(english, field.name), id=field.name
    )
    for russian, english in LANGUAGES
    for field in fields(russian)
    if isinstance(getattr(russian, field.name), str)
]


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_there_are_strings_and_counted_nouns() -> None:
    assert len(PAIRS) > 60
    assert COUNTED == ["reviews", "ratings", "messages"]


@pytest.mark.parametrize(("name", "russian", "english"), PAIRS)
def test_both_languages_have_a_string_of_their_own(name: str, russian: str, english: str) -> None:
    assert russian.strip()
    assert english.strip()
    assert placeholders(russian) == placeholders(english)
    assert russian != english


@pytest.mark.parametrize(("name", "russian", "english"), PAIRS)
def test_telegram_takes_every_string(name: str, russian: str, english: str) -> None:
    for text in (russian, english):
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
    strings = [text for russian, _ in LANGUAGES for text in vars(russian).values()]
    assert not [text for text in strings if isinstance(text, str) and " —" in text]


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
    assert admin_texts_for(code) is (ENGLISH_ADMIN if texts is ENGLISH else RUSSIAN_ADMIN)
    assert drift_texts_for(code) is (ENGLISH_DRIFT if texts is ENGLISH else RUSSIAN_DRIFT)
    assert model_texts_for(code) is (ENGLISH_MODELS if texts is ENGLISH else RUSSIAN_MODELS)
    english, russian = ENGLISH_RETRAINING, RUSSIAN_RETRAINING
    assert retraining_texts_for(code) is (english if texts is ENGLISH else russian)
