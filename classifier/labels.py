"""The label space: three sentiments, ratings 0 to 10, and which rating means which sentiment."""

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from numbers import Real
from types import MappingProxyType

SENTIMENTS = ("Bad", "Neutral", "Good")
"""The sentiments in the order of the classes: a sentiment is its index here."""

RATINGS = range(11)
"""The ratings, which are also the classes of the rating head."""

NO_RATING = -1
"""Marks a missing rating in arrays, which can't hold None."""

NEAR = 1
"""Points by which two ratings may differ and still count as alike."""

MISSING = frozenset(("", "null", "none", "nan", "nat", "na", "n/a", "#n/a", "<na>", "nil"))
"""How programs write that a value is missing, in small letters."""

_NAMES = (
    "bad negative neg плохой плохая плохо плохие негативный негативная негативно негатив"
    " отрицательный отрицательная отрицательно",
    "neutral neu нейтральный нейтральная нейтрально нейтральные",
    "good positive pos хороший хорошая хорошо хорошие позитивный позитивная позитивно позитив"
    " положительный положительная положительно",
)
_SENTIMENT_BY_NAME = {
    name: sentiment for sentiment, names in enumerate(_NAMES) for name in names.split()
}
_SENTIMENT_BY_SIGN = {"-1": 0, "0": 1, "1": 2}

_OUT_OF = re.compile(r"(?P<value>.+?)\s*(?:/|из|out\s+of)\s*(?P<most>[1-9]\d{0,3})", re.IGNORECASE)


class OutsideError(ValueError):
    """A rating that is a number, and not within its scale."""


def is_missing(value: object) -> bool:
    """Whether it is None, NaN, blank, or a word for a missing value in any case."""
    if isinstance(value, str):
        return value.strip().casefold() in MISSING
    if isinstance(value, Decimal):
        return value.is_nan()
    # Not by math.isnan: a whole number may be too large for it.
    return value is None or (isinstance(value, Real) and value != value)


def label_key(value: object) -> str:
    """One spelling of a label: small letters without blanks around, 1.0 and "+1" as 1."""
    written = str(value).strip().casefold()
    return re.sub(r"\A\+?(-?\d+)(?:[.,]0+)?\Z", r"\1", written)


def parse_sentiment(
    value: object, own: Mapping[str, int | None] = MappingProxyType({})
) -> int | None:
    """The class of a sentiment: Good, positive, хороший and so on in any case, or 1, 0 and -1.

    `own` are the classes of a source's own labels by `label_key`, which come first; None as the
    class, or a missing value, is no sentiment. Raises ValueError, with the value, for all else.
    """
    if is_missing(value):
        return None
    if isinstance(value, str | Real | Decimal):
        key = label_key(value)
        for known in (own, _SENTIMENT_BY_NAME, _SENTIMENT_BY_SIGN):
            if key in known:
                return known[key]
    raise ValueError(f"unknown sentiment {shown(value)}: expected Good, Neutral or Bad")


def is_sign(value: object) -> bool:
    """Whether a label is one of 1, 0 and -1."""
    return label_key(value) in _SENTIMENT_BY_SIGN


def parse_rating(value: object, lowest: float = 0, highest: float = 10) -> float | None:
    """A rating between 0 and 10: of a number on the scale from `lowest` to `highest`, of "8/10",
    "8 из 10" or "80 %".

    None for a missing value. Raises ValueError, with the value, for anything else: no number, a
    bool, an infinity; and OutsideError for a number outside of its scale.
    """
    if is_missing(value):
        return None
    if isinstance(value, str):
        written = value.strip()
        if out_of := _OUT_OF.fullmatch(written):
            value, lowest, highest = out_of["value"], 0, float(out_of["most"])
        elif written.endswith("%"):
            value, lowest, highest = written[:-1], 0, 100
    number = _as_float(value)
    if math.isnan(number):
        return None
    if not lowest <= number <= highest:
        raise OutsideError(f"rating {shown(value)} is not within {lowest:g} to {highest:g}")
    if (lowest, highest) == (0, 10):
        return number
    return (number - lowest) / (highest - lowest) * 10


def whole_rating(rating: float) -> int:
    """The rating as a class: rounded, halves up, so that 7.5 is 8."""
    whole = math.floor(rating)
    return whole + (rating - whole >= 0.5)  # floor(rating + 0.5) errs just below a half


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
        raise ValueError(f"rating {shown(rating)} is not a whole number within 0 to 10")
    if rating <= 5:
        return SENTIMENTS.index("Bad")
    return SENTIMENTS.index("Neutral" if rating == 6 else "Good")


def ratings_differ(first: int | None, second: int | None) -> bool:
    """Whether two ratings are more than NEAR apart; a missing one differs from none."""
    return first is not None and second is not None and abs(first - second) > NEAR


def _as_float(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, str | Real | Decimal):
        raise ValueError(f"rating {shown(value)} is not a number")
    try:
        if not isinstance(value, str):
            return float(value)
        if "_" in value:  # float() takes 1_0 for 10
            raise ValueError
        return float(value.replace(",", "."))
    except OverflowError:  # a whole number that no float can hold
        return math.inf
    except ValueError:
        raise ValueError(f"rating {shown(value)} is not a number") from None


def shown(value: object) -> str:
    """The value for an error message, cut short: a whole review may be in the wrong column."""
    try:
        return f"{value!r:.60}"
    except ValueError:  # a whole number with more digits than Python writes
        return "of thousands of digits"
