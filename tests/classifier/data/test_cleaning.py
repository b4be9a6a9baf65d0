"""Checked values, and zeros that mean nothing."""

import math
from typing import Any

import pytest

from classifier.data.cleaning import Review, parse_review, settle_zero_ratings
from classifier.data.grades import Grades
from classifier.data.schema import OURS
from classifier.labels import SENTIMENTS

BAD, NEUTRAL, GOOD = range(len(SENTIMENTS))


def parse(row: int, values: dict[str, Any]) -> Review:
    return parse_review(row, OURS.ours(values), Grades("a.csv", OURS))


def test_a_full_row_is_read() -> None:
    row = {"content": "Смотрите", "grade3": "Good", "grade10": "9", "review_id": 17, "part": "top"}
    assert parse(4, row) == Review(4, "17", None, "Смотрите", GOOD, 9)


@pytest.mark.parametrize("missing", [None, "", "  ", math.nan])
def test_one_grade_is_enough(missing: object) -> None:
    only_rating = parse(1, {"content": "Кино", "grade3": missing, "grade10": 6.0})
    only_sentiment = parse(1, {"content": "Кино", "grade3": "Bad", "grade10": missing})
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
        ({"grade3": "Great", "grade10": None}, "unknown sentiment 'Great'"),
        ({"grade3": 3, "grade10": "NULL"}, "unknown sentiment 3"),
        ({"grade3": None, "grade10": 11}, "rating 11 is not within 0 to 10"),
        ({"grade3": "nan", "grade10": "много"}, "rating 'много' is not a number"),
        ({"grade3": "n/a", "grade10": math.inf}, "not within 0 to 10"),
        ({"weight": 0}, "weight 0 is not above 0"),
        ({"weight": "heavy"}, "weight 'heavy' is not"),
        ({"weight": math.inf}, "weight inf is not"),
    ],
)
def test_a_bad_row_says_what_is_wrong(changed: dict[str, Any], reason: str) -> None:
    good = {"content": "Хорошее кино", "grade3": "Good", "grade10": 8}
    with pytest.raises(ValueError, match=reason):
        parse(1, good | changed)


@pytest.mark.parametrize(
    ("changed", "grades", "fault"),
    [
        ({"grade3": "Great"}, (None, 8), "unknown sentiment 'Great'"),
        ({"grade10": "много"}, (GOOD, None), "rating 'много' is not a number"),
        ({"grade10": 11}, (GOOD, None), "rating 11 is not within 0 to 10"),
        ({"grade10": True}, (GOOD, None), "rating True is not a number"),
        ({"grade10": "NULL"}, (GOOD, None), None),
        ({"grade3": "None"}, (None, 8), None),
    ],
)
def test_the_sound_grade_of_a_row_is_used(
    changed: dict[str, Any], grades: tuple[int | None, int | None], fault: str | None
) -> None:
    found = Grades("a.csv", OURS)
    row = {"content": "Хорошее кино", "grade3": "Good", "grade10": 8}
    review = parse_review(5, OURS.ours(row | changed), found)
    assert (review.sentiment, review.rating) == grades
    assert len(found.unused) == (fault is not None)
    assert all(one.row == 5 and one.reason.startswith(str(fault)) for one in found.unused)


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
