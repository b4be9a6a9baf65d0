"""Which rows of a source are usable reviews, by their values."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from classifier.data.grades import Grades, Rejected
from classifier.data.text_lines import is_broken
from classifier.labels import SENTIMENTS, is_missing, sentiment_of

MOST_WEIGHT = 100


@dataclass(frozen=True)
class Review:
    """A row with valid values, before it is decided what ratings of zero mean."""

    row: int
    review_id: str | None
    movie_name: str | None
    content: str
    sentiment: int | None  # as grade3 says; None where the source has no grade3
    rating: int | None
    weight: float = 1.0  # how much it counts in training
    person: str | None = None  # who rated it


def parse_review(row: int, values: Mapping[str, Any], grades: Grades) -> Review:
    """The review in one row of a source, its values by our names.

    One sound grade is enough; `grades` counts what is wrong with the other. Raises ValueError, its
    message the reason for the list of rejected rows.
    """
    sentiment, rating, fault = grades.read(row, values["grade3"], values["grade10"])
    try:
        content = checked_content(values["content"])
        if sentiment is None and rating is None:
            raise ValueError(fault or "no grade: neither grade3 nor grade10")
        review = Review(
            row=row,
            review_id=_optional_text(values["review_id"]),
            movie_name=_optional_text(values["movie_name"]),
            content=content,
            sentiment=sentiment,
            rating=rating,
            weight=_weight(values["weight"]),
            person=_optional_text(values["person"]),
        )
        _check_unicode(f"{review.review_id}{review.movie_name}{review.person}")
    except ValueError as error:
        grades.lose(row, sentiment, str(error))
        raise
    if fault:
        grades.unused.append(Rejected(row, fault))
    return review


ONLY_RATINGS = "nothing but written ratings"
"""Why a text that is nothing without them is no review."""


def checked_content(content: object) -> str:
    """The text of a review; raises ValueError, its message the reason, where it is none."""
    if is_missing(content):
        raise ValueError("empty content")
    if not isinstance(content, str):
        raise ValueError(f"content is not text but {type(content).__name__}")
    _check_unicode(content)
    if not has_letters(content):
        raise ValueError("content without letters")
    return content


def _check_unicode(text: str) -> None:
    if is_broken(text):
        raise ValueError("broken UTF-8")


def has_letters(text: str) -> bool:
    return any(map(str.isalpha, text))


def _weight(value: object) -> float:
    if is_missing(value):
        return 1.0
    try:
        weight = float(str(value))
    except ValueError:
        weight = math.nan
    if not 0 < weight <= MOST_WEIGHT:
        raise ValueError(f"weight {value!r:.40} is not above 0 and at most {MOST_WEIGHT}")
    return weight


def _optional_text(value: object) -> str | None:
    return None if is_missing(value) else str(value).strip()


def settle_zero_ratings(reviews: Sequence[Review]) -> tuple[list[Review], list[Rejected], int]:
    """Distinguish ratings of zero from zeros that mean a missing rating.

    grade10 was parsed from texts, and 0 may be what the parser wrote where it found nothing.
    On a Good or Neutral review a zero always means that. If these outnumber the zeros of Bad
    reviews, zero is how the source marks a missing rating, and the zeros of Bad reviews are
    dropped as well.
    Returns the reviews, each with a sentiment; those left without labels; the number of zeros
    dropped.
    """
    bad = SENTIMENTS.index("Bad")
    on_bad = sum(r.rating == 0 and r.sentiment == bad for r in reviews)
    on_others = sum(r.rating == 0 and r.sentiment not in (bad, None) for r in reviews)
    settled: list[Review] = []
    rejected: list[Rejected] = []
    dropped = 0
    for review in reviews:
        rating, sentiment = review.rating, review.sentiment
        if rating == 0 and (on_others > on_bad or sentiment not in (bad, None)):
            rating = None
            dropped += 1
        if sentiment is None and rating is None:
            rejected.append(Rejected(review.row, "no grade: a rating of 0 means none here"))
            continue
        if sentiment is None and rating is not None:
            sentiment = sentiment_of(rating)
        settled.append(replace(review, sentiment=sentiment, rating=rating))
    return settled, rejected, dropped
