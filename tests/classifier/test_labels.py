import math
from contextlib import suppress
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.labels import (
    NO_RATING,
    RATINGS,
    SENTIMENTS,
    OutsideError,
    parse_rating,
    parse_sentiment,
    sentiment_of,
    whole_rating,
)


def test_label_space() -> None:
    assert SENTIMENTS == ("Bad", "Neutral", "Good")
    assert list(RATINGS) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert NO_RATING not in RATINGS


@pytest.mark.parametrize(
    ("written", "sentiment"),
    [
        *(("Bad", 0), ("Neutral", 1), ("Good", 2), (" gOOD\n", 2), ("NEUTRAL", 1), ("\xa0bad ", 0)),
        *(
            ("Positive", 2),
            ("neu", 1),
            ("NEG", 0),
            ("Хороший", 2),
            ("плохо", 0),
            ("нейтральная", 1),
        ),
        *((1, 2), ("0", 1), (-1.0, 0), (Decimal(1), 2), (np.int64(-1), 0), ("+1", 2), ("-1.0", 0)),
    ],
)
def test_sentiments_in_their_usual_spellings(written: object, sentiment: int) -> None:
    assert parse_sentiment(written) == sentiment


def test_own_labels_come_first() -> None:
    own = {"1": 0, "meh": 1, "skip": None, "true": 2}
    values = [1, "1.0", " MEH ", "skip", "good", True, "", None, "NULL"]
    found = [parse_sentiment(value, own) for value in values]
    assert found == [0, 0, 1, None, 2, 2, None, None, None]


@pytest.mark.parametrize(
    "value", ["Goo", "Good Bad", "ничего", 2, 0.5, "1.5", True, b"Good", ["Bad"]]
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
        (Decimal("6.5"), 7),
        ("8/10", 8),
        ("4 / 5", 8),
        ("8,5 из 10", 9),
        ("80 out of 100", 8),
        ("85 %", 9),
    ],
)
def test_ratings_are_rounded_halves_up(value: object, rating: int) -> None:
    found = parse_rating(value)
    assert found is not None
    assert whole_rating(found) == rating
    assert type(whole_rating(found)) is int


@pytest.mark.parametrize(
    ("value", "scale", "rating"),
    [(5, (0, 5), 10), ("3,5", (0, 5), 7), (85, (0, 100), 8.5), (1, (1, 5), 0), (3, (1, 5), 5)],
)
def test_ratings_of_other_scales(value: object, scale: tuple[int, int], rating: float) -> None:
    assert parse_rating(value, *scale) == rating
    with pytest.raises(OutsideError, match="is not within"):
        parse_rating(scale[1] + 1, *scale)


@pytest.mark.parametrize(
    "value",
    [None, math.nan, np.float64("nan"), "", "  ", "\xa0", "NaN", "NULL", "n/a", Decimal("nan")],
)
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
NOT_RATINGS += ("восемь", "8 из", "8/0", "11/10", "101 %", "1,2,3", b"8", [8], 8j, object)


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
    assert parse_rating(value) == value
    assert parse_rating(str(value)) == parse_rating(str(value).replace(".", ",")) == value
    assert whole_rating(value) in RATINGS
    assert abs(Fraction(value) - whole_rating(value)) <= Fraction(1, 2)


@given(st.text() | st.binary() | st.floats() | st.integers() | st.booleans() | st.none())
def test_parsing_gives_a_class_or_a_value_error(value: object) -> None:
    with suppress(ValueError):
        rating = parse_rating(value)
        assert rating is None or whole_rating(rating) in RATINGS
    with suppress(ValueError):
        assert parse_sentiment(value) in {0, 1, 2, None}


def test_which_rating_means_which_sentiment() -> None:
    names = [SENTIMENTS[sentiment_of(rating)] for rating in RATINGS]
    assert names == ["Bad"] * 6 + ["Neutral"] + ["Good"] * 4


@pytest.mark.parametrize("rating", [NO_RATING, 11])
def test_no_sentiment_outside_of_the_scale(rating: int) -> None:
    with pytest.raises(ValueError, match=str(rating)):
        sentiment_of(rating)
