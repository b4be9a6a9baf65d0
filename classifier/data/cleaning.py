"""Which rows of a source are usable reviews: checked values, no duplicates."""

import hashlib
import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.sparse import csr_array

from classifier.labels import SENTIMENTS, parse_rating, parse_sentiment, sentiment_of

SHINGLE_WORDS = 5
NEAR_DUPLICATE_JACCARD = 0.8
_SHARED_BY_VERSIONS = 0.5
MOST_WEIGHT = 100
_COMPARED_AT_ONCE = 256
_WORDS = re.compile(r"\w+")


@dataclass(frozen=True)
class Rejected:
    """A row that can't be used: its line (a parquet's row number), from 1, and why."""

    row: int
    reason: str


@dataclass(frozen=True)
class Review:
    """A row whose values are sound, before ratings of zero are settled."""

    row: int
    review_id: str | None
    movie_name: str | None
    content: str
    sentiment: int | None  # as grade3 says; None where the source has no grade3
    rating: int | None
    weight: float = 1.0  # how much it counts in training


def parse_review(row: int, values: Mapping[str, Any]) -> Review:
    """The review in one row of a source.

    Raises ValueError, its message the reason for the list of rejected rows.
    """
    content = values.get("content")
    if _missing(content):
        raise ValueError("empty content")
    if not isinstance(content, str):
        raise ValueError(f"content is not text but {type(content).__name__}")
    grade3 = values.get("grade3")
    sentiment = None if _missing(grade3) else parse_sentiment(grade3)
    rating = parse_rating(values.get("grade10"))
    if sentiment is None and rating is None:
        raise ValueError("no grade: neither grade3 nor grade10")
    review = Review(
        row=row,
        review_id=_optional_text(values.get("review_id")),
        movie_name=_optional_text(values.get("movie_name")),
        content=content,
        sentiment=sentiment,
        rating=rating,
        weight=_weight(values.get("weight")),
    )
    try:
        f"{review.review_id}{review.movie_name}{content}".encode()
    except UnicodeEncodeError:  # what was not UTF-8 was read as lone surrogates
        raise ValueError("broken UTF-8") from None
    if not has_letters(content):
        raise ValueError("content without letters")
    return review


def has_letters(text: str) -> bool:
    return any(map(str.isalpha, text))


def _missing(value: object) -> bool:
    if isinstance(value, str):
        return not value.strip()
    return value is None or (isinstance(value, float) and math.isnan(value))


def _weight(value: object) -> float:
    if _missing(value):
        return 1.0
    try:
        weight = float(str(value))
    except ValueError:
        weight = math.nan
    if not 0 < weight <= MOST_WEIGHT:
        raise ValueError(f"weight {value!r:.40} is not above 0 and at most {MOST_WEIGHT}")
    return weight


def _optional_text(value: object) -> str | None:
    return None if _missing(value) else str(value).strip()


def settle_zero_ratings(reviews: Sequence[Review]) -> tuple[list[Review], list[Rejected], int]:
    """Tell ratings of zero from the zeros that stand for a missing rating.

    grade10 was parsed out of texts, and 0 may be what the parser wrote where it found nothing.
    On a review called Good or Neutral a zero is always that. Where those outnumber the zeros
    of Bad reviews, it is the source's missing marker, and the Bad zeros go as well.
    Returns the reviews, each with a sentiment; those left with no grade; the zeros dropped.
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


def exact_duplicates(texts: Sequence[str]) -> NDArray[np.bool_]:
    """`[n]`: whether an earlier text is the same but for letter case, blanks and Unicode forms."""
    seen: set[bytes] = set()
    repeated = np.zeros(len(texts), dtype=bool)
    for index, text in enumerate(texts):
        key = hashlib.sha256(" ".join(_folded(text).split()).encode()).digest()
        repeated[index] = key in seen
        seen.add(key)
    return repeated


def near_duplicates(texts: Sequence[str]) -> NDArray[np.bool_]:
    """`[n]`: whether an earlier text that stays is nearly the same.

    Nearly the same: the sets of runs of 5 words have a Jaccard similarity of 0.8 or more
    (shingling, Broder 1997, https://doi.org/10.1109/SEQUEN.1997.666900). It is computed, not
    estimated by MinHash: two texts can only be that alike where at most a fifth of the
    shingles of each are its own, which leaves few of them to compare.
    A text shorter than 5 words is one shingle, so only the same words in the same order match.
    """
    shingles = _shingles(texts)
    repeated = np.zeros(len(texts), dtype=bool)
    sizes = np.array([len(shingle) for shingle in shingles], dtype=np.int64)
    every = np.sort(np.concatenate([*shingles, np.zeros(0, dtype=np.uint64)]))
    shared = np.unique(every[1:][every[1:] == every[:-1]])

    candidates, columns = [], []
    for index, shingle in enumerate(shingles):
        place = np.searchsorted(shared, shingle)
        common = place[np.take(shared, place, mode="clip") == shingle] if shared.size else place[:0]
        if 0 < len(common) >= NEAR_DUPLICATE_JACCARD * len(shingle):
            candidates.append(index)
            columns.append(common)
    if not candidates:
        return repeated
    rows = np.array(candidates)
    starts = np.cumsum([0, *map(len, columns)])
    flat = np.concatenate(columns)
    contains = csr_array((np.ones(len(flat), np.int32), flat, starts), (len(rows), len(shared)))
    for start in range(0, len(rows), _COMPARED_AT_ONCE):
        common = contains[start : start + _COMPARED_AT_ONCE] @ contains.T
        for later, first, last in zip(rows[start:], common.indptr, common.indptr[1:], strict=False):
            earlier, both = rows[common.indices[first:last]], common.data[first:last]
            alike = both >= NEAR_DUPLICATE_JACCARD * (sizes[later] + sizes[earlier] - both)
            repeated[later] = np.any(alike & (earlier < later) & ~repeated[earlier])
    return repeated


def repeats_of(known: Sequence[str], texts: Sequence[str]) -> NDArray[np.bool_]:
    """`[n]`: whether a text is the same, or nearly, as a known one or as an earlier one."""
    # The known ones come first, for of two texts that are alike the earlier one stays.
    contents = [*known, *texts]
    return (exact_duplicates(contents) | near_duplicates(contents))[len(known) :]


def versions_of_one_text(first: Sequence[str], second: Sequence[str]) -> NDArray[np.bool_]:
    """`[n]`: whether the nth texts share over half of the shorter one's runs of 5 words.

    That is for texts which something else, such as an id, says to be one: edited or shortened
    it still does, while two reviews rarely have more than a phrase in common.
    """
    shingles = _shingles([*first, *second])
    pairs = zip(shingles[: len(first)], shingles[len(first) :], strict=True)
    return np.array(
        [
            np.intersect1d(one, other).size > _SHARED_BY_VERSIONS * min(one.size, other.size)
            for one, other in pairs
        ],
        dtype=bool,
    )


def _shingles(texts: Sequence[str]) -> list[NDArray[np.uint64]]:
    """The set of hashed 5-word runs of each text.

    Multilinear hashing over word numbers (Lemire & Kaser 2014, https://arxiv.org/abs/1202.4961);
    64 bits: among 13 million shingles a collision is expected once in a hundred thousand runs.
    """
    multipliers = np.random.default_rng(0).integers(
        2**63, 2**64, size=SHINGLE_WORDS, dtype=np.uint64
    )
    numbers: defaultdict[str, int] = defaultdict(lambda: len(numbers) + 1)
    sets = []
    for text in texts:
        words = [numbers[word] for word in _WORDS.findall(_folded(text))]
        if words:
            words += [0] * (SHINGLE_WORDS - len(words))
        ids = np.array(words, dtype=np.uint64)
        runs = sliding_window_view(ids, SHINGLE_WORDS) if words else ids.reshape(0, SHINGLE_WORDS)
        sets.append(np.unique(runs @ multipliers))
    return sets


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
