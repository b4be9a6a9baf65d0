"""Who stands out among those who rate."""

from itertools import count
from statistics import median

from hypothesis import given
from hypothesis import strategies as st

from bot.services.raters import StoodOut, median_without, stood_out
from db.training_data import RatedReview

GOOD, BAD = 9, 1
_ids = count(1)


def rated(user_id: int, true: int, lies: int = 0) -> list[RatedReview]:
    """Reviews that both models saw as Good, rated so or as Bad."""
    ratings = [GOOD] * true + [BAD] * lies
    return [RatedReview(next(_ids), user_id, "", rating, False, (2, 2)) for rating in ratings]


def left_out(reviews: list[RatedReview]) -> set[int]:
    return {one.user_id for one in stood_out(reviews) if one.is_left_out}


def honest(*users: int) -> list[RatedReview]:
    return [review for user in users for review in rated(user, true=9, lies=1)]


def test_the_honest_do_not_stand_out() -> None:
    assert stood_out(honest(*range(1, 13))) == []
    assert left_out(rated(1, true=3, lies=3) + honest(2, 3, 4)) == set(), "six say little"


def test_one_liar() -> None:
    reviews = honest(*range(1, 9)) + rated(99, true=0, lies=50)
    (liar,) = stood_out(reviews)
    assert isinstance(liar, StoodOut)
    assert (liar.user_id, liar.ratings, liar.contradicting) == (99, 50, 50)
    named = [review for review in reviews if review.review_id in liar.reviews]
    assert {review.user_id for review in named} == {99}


def test_a_liar_who_is_alone_with_the_bot() -> None:
    assert left_out(rated(99, true=0, lies=50)) == {99}


def test_liars_in_the_majority() -> None:
    liars = range(100, 110)
    reviews = honest(1, 2, 3)
    for liar in liars:
        reviews += rated(liar, true=10, lies=40)
    assert left_out(reviews) == set(liars)


def test_where_the_models_are_wrong_for_everybody() -> None:
    reviews = [review for user in range(1, 13) for review in rated(user, true=5, lies=5)]
    assert left_out(reviews) == set()


def test_most_of_all_ratings_are_told_but_used() -> None:
    (most,) = stood_out(honest(1, 2, 3) + rated(4, true=40))
    assert (most.user_id, most.is_left_out) == (4, False)
    assert most.share == 40 / 70


def test_reviews_without_an_answer_tell_nothing() -> None:
    unanswered = [RatedReview(next(_ids), 7, "", BAD, False) for _ in range(50)]
    assert left_out(unanswered + honest(1, 2, 3)) == set()


@given(st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0]), min_size=1), st.data())
def test_the_median_of_the_others(values: list[float], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(values) - 1))
    others = values[:place] + values[place + 1 :]
    expected = median(others) if others else None
    assert median_without(sorted(values), values[place]) == expected
