import math
from contextlib import suppress
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.labels import (
    NO_RATING,
    RATINGS,
    SENTIMENTS,
    parse_rating,
    parse_sentiment,
    sentiment_of,
)


def test_label_space() -> None:
    assert SENTIMENTS == ("Bad", "Neutral", "Good")
    assert list(RATINGS) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert NO_RATING not in RATINGS


@pytest.mark.parametrize(
    ("written", "sentiment"),
    [("Bad", 0), ("Neutral", 1), ("Good", 2), (" gOOD\n", 2), ("NEUTRAL", 1), ("\xa0bad ", 0)],
)
def test_sentiments_in_any_case_and_with_blanks(written: str, sentiment: int) -> None:
    assert parse_sentiment(written) == sentiment


@pytest.mark.parametrize(
    "value", ["", "Goo", "Good Bad", "хорошо", None, 2, math.nan, b"Good", ["Bad"]]
)
def test_anything_else_is_no_sentiment_and_is_named(value: object) -> None:
    with pytest.raises(ValueError, match="expected Good, Neutral or Bad") as caught:
        parse_sentiment(value)
    assert repr(value) in str(caught.value)


@pytest.mark.parametrize(
    ("value", "rating"),
    [
        (0, 0),
        (10, 10),
        (7.5, 8),
        (7.49, 7),
        (0.5, 1),
        (0.49999999999999994, 0),  # plus a half is 1.0
        ("7,5", 8),
        (" 8 ", 8),
        ("8.0", 8),
        (-0.0, 0),
        (np.float32(6.5), 7),
        (np.int64(3), 3),
        (Fraction(13, 2), 7),
    ],
)
def test_ratings_are_rounded_halves_up(value: object, rating: int) -> None:
    assert parse_rating(value) == rating
    assert type(parse_rating(value)) is int


@pytest.mark.parametrize("value", [None, math.nan, np.float64("nan"), "", "  ", "\xa0", "NaN"])
def test_missing_ratings(value: object) -> None:
    assert parse_rating(value) is None


NOT_RATINGS: tuple[object, ...] = (
    True,
    np.bool_(False),
    math.inf,
    "-inf",
    -0.1,
    10.01,
    "11",
    10**400,
    "1_0",
)
NOT_RATINGS += ("восемь", "8 из 10", "1,2,3", b"8", [8], 8j, object)


@pytest.mark.parametrize("value", NOT_RATINGS)
def test_anything_else_is_no_rating(value: object) -> None:
    with pytest.raises(ValueError, match="rating"):
        parse_rating(value)


def test_a_whole_review_in_the_rating_column_gives_a_short_message() -> None:
    with pytest.raises(ValueError, match="Отличный фильм") as caught:
        parse_rating("Отличный фильм! " * 500)
    assert len(str(caught.value)) < 100


@given(st.floats(min_value=0, max_value=10))
def test_the_nearest_rating(value: float) -> None:
    rating = parse_rating(value)
    assert rating is not None
    assert rating in RATINGS
    assert abs(Fraction(value) - rating) <= Fraction(1, 2)
    assert parse_rating(str(value)) == parse_rating(str(value).replace(".", ",")) == rating


@given(st.text() | st.binary() | st.floats() | st.integers() | st.booleans() | st.none())
def test_parsing_gives_a_class_or_a_value_error(value: object) -> None:
    with suppress(ValueError):
        assert parse_rating(value) in {*RATINGS, None}
    with suppress(ValueError):
        assert parse_sentiment(value) in range(3)


def test_which_rating_means_which_sentiment() -> None:
    names = [SENTIMENTS[sentiment_of(rating)] for rating in RATINGS]
    assert names == ["Bad"] * 6 + ["Neutral"] + ["Good"] * 4


@pytest.mark.parametrize("rating", [NO_RATING, 11])
def test_no_sentiment_outside_of_the_scale(rating: int) -> None:
    with pytest.raises(ValueError, match=str(rating)):
        sentiment_of(rating)
