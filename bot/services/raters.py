"""Who stands out among those who rate: by contradicting the models, or by rating most of all."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

from classifier.labels import sentiment_of
from db.training_data import RatedReview

_LEAST_USUAL, _MOST_USUAL = 0.2, 0.5
"""Between these is the usual share of contradicted answers, whatever the others' ratings say: so
neither good models nor a crowd of liars move the limit far."""

_BY_CHANCE = 0.001
_MOST, _MANY = 0.5, 20  # of all ratings, if they are that many
_NAMED = 3  # reviews by which an admin finds the person


@dataclass(frozen=True)
class StoodOut:
    """A person as the admins are told: by the numbers of reviews, which /errors shows too."""

    user_id: int
    reviews: tuple[int, ...]
    ratings: int
    contradicting: int  # ratings of another sentiment than both models saw
    share: float  # of all ratings
    is_left_out: bool  # contradicts far more than is usual: neither trained on nor judged by


def stood_out(reviews: Sequence[RatedReview]) -> list[StoodOut]:
    """The persons who stand out, those with the most ratings first.

    Far more than usual means that chance does as much less than once in a thousand times, with
    the median share of the other persons.
    """
    of_user: dict[int, list[RatedReview]] = {}
    for review in reviews:
        of_user.setdefault(review.user_id, []).append(review)
    counted = {user_id: _counted(own) for user_id, own in of_user.items()}
    shares = sorted(contradicting / n for contradicting, n in counted.values() if n)
    found = []
    for user_id, own in of_user.items():
        contradicting, answered = counted[user_id]
        others = median_without(shares, contradicting / answered) if answered else None
        usual = _MOST_USUAL if others is None else min(max(others, _LEAST_USUAL), _MOST_USUAL)
        is_left_out = _at_least(contradicting, answered, usual) < _BY_CHANCE
        share = len(own) / len(reviews)
        if is_left_out or (share > _MOST and len(own) >= _MANY):
            named = sorted(own, key=_contradicts, reverse=True)[:_NAMED]
            numbers = tuple(review.review_id for review in named)
            found.append(StoodOut(user_id, numbers, len(own), contradicting, share, is_left_out))
    return sorted(found, key=lambda one: one.ratings, reverse=True)


def median_without(ordered: Sequence[float], one: float) -> float | None:
    """The median of values in order without one of them; None for no other.

    Looked up, for there are as many questions as values: sorting anew for each is quadratic.
    """
    place, others = bisect_left(ordered, one), len(ordered) - 1
    if not others:
        return None
    middle = [ordered[n + (n >= place)] for n in ((others - 1) // 2, others // 2)]
    return sum(middle) / 2


def _counted(reviews: Sequence[RatedReview]) -> tuple[int, int]:
    """How many ratings contradict both models, of how many that were answered."""
    return sum(map(_contradicts, reviews)), sum(bool(review.answered) for review in reviews)


def _contradicts(review: RatedReview) -> bool:
    """A rating that an admin stands behind is no lie, whatever the models saw."""
    contradicts = bool(review.answered) and sentiment_of(review.rating) not in review.answered
    return contradicts and not review.judged


def _at_least(successes: int, of: int, share: float) -> float:
    """How probable so many successes or more are (binomial)."""
    return sum(comb(of, k) * share**k * (1 - share) ** (of - k) for k in range(successes, of + 1))
