"""Checked values, zeros that mean nothing, and duplicates."""

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.data.cleaning import (
    Review,
    exact_duplicates,
    near_duplicates,
    parse_review,
    settle_zero_ratings,
    versions_of_one_text,
)
from classifier.labels import SENTIMENTS

BAD, NEUTRAL, GOOD = range(len(SENTIMENTS))


def test_a_full_row_is_read() -> None:
    row = {"content": "Смотрите", "grade3": "Good", "grade10": "9", "review_id": 17, "part": "top"}
    assert parse_review(4, row) == Review(4, "17", None, "Смотрите", GOOD, 9)


@pytest.mark.parametrize("missing", [None, "", "  ", math.nan])
def test_one_grade_is_enough(missing: object) -> None:
    only_rating = parse_review(1, {"content": "Кино", "grade3": missing, "grade10": 6.0})
    only_sentiment = parse_review(1, {"content": "Кино", "grade3": "Bad", "grade10": missing})
    assert (only_rating.sentiment, only_rating.rating) == (None, 6)
    assert (only_sentiment.sentiment, only_sentiment.rating) == (BAD, None)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"content": None}, "empty content"),
        ({"content": " \n"}, "empty content"),
        ({"content": math.nan}, "empty content"),
        ({"content": 12}, "content is not text but int"),
        ({"content": ["Кино"]}, "content is not text but list"),
        ({"content": "10/10 !!!"}, "content without letters"),
        ({"content": "Кино \udcd0"}, "broken UTF-8"),
        ({"movie_name": "Кино \udcd0"}, "broken UTF-8"),
        ({"grade3": "", "grade10": math.nan}, "no grade"),
        ({"grade3": "Great"}, "unknown sentiment 'Great'"),
        ({"grade3": 3}, "unknown sentiment 3"),
        ({"grade10": 11}, "rating 11 is not within 0 to 10"),
        ({"grade10": "много"}, "rating 'много' is not a number"),
        ({"grade10": math.inf}, "not within 0 to 10"),
        ({"weight": 0}, "weight 0 is not above 0"),
        ({"weight": "heavy"}, "weight 'heavy' is not"),
        ({"weight": math.inf}, "weight inf is not"),
    ],
)
def test_a_bad_row_says_what_is_wrong(changed: dict[str, Any], reason: str) -> None:
    good = {"content": "Хорошее кино", "grade3": "Good", "grade10": 8}
    with pytest.raises(ValueError, match=reason):
        parse_review(1, good | changed)


def _rated(*pairs: tuple[int | None, int | None]) -> list[Review]:
    return [Review(row, None, None, "Кино", *pair) for row, pair in enumerate(pairs, 1)]


def test_a_zero_is_kept_on_bad_reviews_alone() -> None:
    reviews = _rated(
        (BAD, 0), (BAD, 0), (GOOD, 0), (NEUTRAL, 0), (None, 0), (None, 6), (GOOD, None)
    )
    settled, rejected, dropped = settle_zero_ratings(reviews)
    assert [(r.sentiment, r.rating) for r in settled] == [
        (BAD, 0),
        (BAD, 0),
        (GOOD, None),
        (NEUTRAL, None),
        (BAD, 0),
        (NEUTRAL, 6),
        (GOOD, None),
    ]
    assert (rejected, dropped) == ([], 2)


def test_zeros_that_are_mostly_on_good_reviews_are_the_missing_marker() -> None:
    settled, rejected, dropped = settle_zero_ratings(
        _rated((BAD, 0), (GOOD, 0), (GOOD, 0), (None, 0), (BAD, 1))
    )
    assert [(r.row, r.rating) for r in settled] == [(1, None), (2, None), (3, None), (5, 1)]
    assert dropped == 4
    assert [(r.row, r.reason) for r in rejected] == [(4, "no grade: a rating of 0 means none here")]


def test_exact_duplicates_ignore_case_blanks_and_unicode_forms() -> None:
    texts = ["Мой  фильм", "мой\nфильм ", "МОИ\u0306 ФИЛЬМ", "Мой фильм!", "ﬁlm", "FILM"]
    assert exact_duplicates(texts).tolist() == [False, True, True, False, False, True]


def test_a_long_review_with_a_new_heading_is_nearly_the_same() -> None:
    body = " ".join(f"слово{index}" for index in range(60))
    texts = [body, f"Заголовок. {body.upper()}!", " ".join(reversed(body.split()))]
    assert near_duplicates(texts).tolist() == [False, True, False]


def test_the_first_stays_and_what_resembles_only_a_removed_one_stays() -> None:
    words = [f"слово{index}" for index in range(104)]
    chain = [" ".join(words[start : start + 84]) for start in (0, 8, 16)]
    assert [near_duplicates(list(pair)).any() for pair in pairwise(chain)] == [True, True]
    assert near_duplicates(chain).tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Хороший фильм", "Плохой фильм"),
        ("Скучно", "Страшно"),
        ("Не советую смотреть этот фильм", "Советую смотреть этот фильм"),
        ("Отличный фильм, всем советую, 8 из 10", "Отличный фильм, всем советую, 9 из 10"),
        ("!!!", "???"),
    ],
)
def test_different_short_reviews_stay(one: str, other: str) -> None:
    assert not near_duplicates([one, other]).any()


def test_no_texts_have_no_duplicates() -> None:
    assert exact_duplicates([]).shape == near_duplicates([]).shape == (0,)


@given(st.lists(st.lists(st.sampled_from("абв"), max_size=14).map(" ".join), max_size=12))
def test_near_duplicates_agree_with_comparing_every_pair(texts: list[str]) -> None:
    def shingles(text: str) -> set[tuple[str, ...]]:
        words = text.split()
        return {tuple(words[i : i + 5]) for i in range(max(1, len(words) - 4))} if words else set()

    kept: list[set[tuple[str, ...]]] = []
    expected = []
    for one in map(shingles, texts):
        alike = any(5 * len(one & other) >= 4 * len(one | other) for other in kept if one)
        expected.append(alike)
        if not alike:
            kept.append(one)
    np.testing.assert_array_equal(near_duplicates(texts), expected)


def test_versions_of_a_text_share_more_than_a_phrase() -> None:
    text = "один два три четыре пять шесть семь восемь девять десять"
    others = [
        f"{text} и ещё столько же слов, каких там не было и в помине, а то и больше",
        "три четыре пять шесть семь восемь",
        "Совсем о другом: раз, два, три четыре пять, и дальше всё иначе, чем там.",
        "…",
    ]
    assert versions_of_one_text([text] * 4, others).tolist() == [True, True, False, False]
