"""The label space: three sentiments, ratings 0 to 10, and which rating means which sentiment."""

import math
from numbers import Real

SENTIMENTS = ("Bad", "Neutral", "Good")
"""The sentiments in the order of the classes: a sentiment is its index here."""

RATINGS = range(11)
"""The ratings, which are also the classes of the rating head."""

NO_RATING = -1
"""Marks a missing rating in arrays, which can't hold None."""

NEAR = 1
"""Points by which two ratings may differ and still count as alike."""

_SENTIMENT_BY_NAME = {name.casefold(): index for index, name in enumerate(SENTIMENTS)}


def parse_sentiment(value: object) -> int:
    """The class of a sentiment written as Good, Neutral or Bad, in any case, with blanks around.

    Raises ValueError, with the value, for anything else.
    """
    if isinstance(value, str):
        sentiment = _SENTIMENT_BY_NAME.get(value.strip().casefold())
        if sentiment is not None:
            return sentiment
    raise ValueError(f"unknown sentiment {_shown(value)}: expected Good, Neutral or Bad")


def parse_rating(value: object) -> int | None:
    """A rating of 0 to 10 rounded to a whole one, halves up: 7.5 and "7,5" are 8.

    None, NaN and empty text are a missing rating, None. Raises ValueError, with the value, for
    anything else: no number, a bool, an infinity, a number outside of 0 to 10.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    number = _as_float(value)
    if math.isnan(number):
        return None
    if not 0 <= number <= 10:
        raise ValueError(f"rating {_shown(value)} is not within 0 to 10")
    whole = math.floor(number)
    return whole + (number - whole >= 0.5)  # floor(number + 0.5) errs just below a half


def sentiment_of(rating: int) -> int:
    """The sentiment that a rating stands for: 0-5 Bad, 6 Neutral, 7-10 Good.

    It is the sentiment most often given with that rating. Counted in 9,058 Kinopoisk reviews,
    6,126 of them with both grades, and then reweighted, because those reviews hold fewer
    neutral and more bad ones than all reviews do (Good 74.5 %, Neutral 12.5 %, Bad 13 %):

        rating   counted: Bad  Neutral  Good   reweighted: Bad  Neutral  Good
        0-4             1,239        1     1               452        4     1
        5                 403       21     4               147       94     5
        6                 239       41    23                87      183    28
        7                 103       29   257                38      130   311
        8                  33       12   550                12       54   665
        9                   7        4   742                 3       18   898
        10                 19        6 2,392                 7       27 2,893

    Unweighted, 6 would be Bad and Neutral would have no rating at all.
    Raises ValueError for a rating outside of 0 to 10.
    """
    if rating not in RATINGS:
        raise ValueError(f"rating {_shown(rating)} is not a whole number within 0 to 10")
    if rating <= 5:
        return SENTIMENTS.index("Bad")
    return SENTIMENTS.index("Neutral" if rating == 6 else "Good")


def ratings_differ(first: int | None, second: int | None) -> bool:
    """Whether two ratings are more than NEAR apart; a missing one differs from none."""
    return first is not None and second is not None and abs(first - second) > NEAR


def _as_float(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, str | Real):
        raise ValueError(f"rating {_shown(value)} is not a number")
    try:
        if not isinstance(value, str):
            return float(value)
        if "_" in value:  # float() takes 1_0 for 10
            raise ValueError
        return float(value.replace(",", "."))
    except OverflowError:  # a whole number that no float can hold
        return math.inf
    except ValueError:
        raise ValueError(f"rating {_shown(value)} is not a number") from None


def _shown(value: object) -> str:
    """The value for an error message, cut short: a whole review may be in the wrong column."""
    return f"{value!r:.60}"
