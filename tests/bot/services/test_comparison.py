"""The comparison of grouped answers is that of the answers one by one."""

import random

import numpy as np
import pytest
from numpy.typing import NDArray

from bot.services.comparison import ENOUGH, ENOUGH_USERS, Comparison, compare
from bot.texts.locale import RUSSIAN
from bot.views.stats import verdict
from classifier.evaluation.comparison import compare as compare_rows
from classifier.evaluation.resampling import Difference
from classifier.modeling.outputs import Labels, Outputs
from db.pairs import UserSums

Answer = tuple[tuple[int, ...], tuple[int, int]]
"""Sentiments, the true one, CLS's and mean's; then the rating errors of CLS and of mean."""


def users_of(answers: list[Answer], each: int = 1) -> list[UserSums]:
    """`each` is how many answers a user gave, one after the other."""
    sums = [
        UserSums(
            answers=1,
            only_cls_right=cls == true != mean,
            only_mean_right=cls != true == mean,
            rated=1,
            error=e_mean - e_cls,
        )
        for (true, cls, mean), (e_cls, e_mean) in answers
    ]
    users = [sums[begin : begin + each] for begin in range(0, len(sums), each)]
    return [UserSums(*map(sum, zip(*user, strict=True))) for user in users]


def one_hot(classes: list[int], count: int) -> NDArray[np.float64]:
    return np.eye(count)[classes] * 20.0


def test_it_equals_the_comparison_row_by_row() -> None:
    chance = random.Random(3)
    rows = []
    for _ in range(400):
        true = chance.randrange(11)
        cls, mean = (min(max(round(chance.gauss(true, e)), 0), 10) for e in (2.2, 1.8))
        rows.append((true, cls, mean))

    def sentiment(rating: int) -> int:
        return 0 if rating <= 5 else 1 if rating == 6 else 2

    found = compare(
        users_of(
            [
                (
                    (sentiment(true), sentiment(cls), sentiment(mean)),
                    (abs(cls - true), abs(mean - true)),
                )
                for true, cls, mean in rows
            ]
        )
    )
    outputs = [
        Outputs(
            sentiment_logits=one_hot([sentiment(row[place]) for row in rows], 3),
            rating_logits=one_hot([row[place] for row in rows], 11),
        )
        for place in (1, 2)
    ]
    labels = Labels(
        sentiment=np.array([sentiment(row[0]) for row in rows]),
        rating=np.array([row[0] for row in rows]),
    )
    expected = compare_rows(outputs[0], outputs[1], labels, resamples=40_000)
    assert found.accuracy is not None
    assert found.mae is not None
    assert found.accuracy.p == pytest.approx(expected["mcnemar"]["p"])
    for difference, name in ((found.accuracy, "accuracy"), (found.mae, "rating_mae")):
        other = expected["differences"][name]
        assert difference.difference == pytest.approx(other["difference"])
        assert difference.low == pytest.approx(other["low"], abs=0.012)
        assert difference.high == pytest.approx(other["high"], abs=0.012)
        assert difference.p == pytest.approx(other["p"], abs=0.02)


def test_nothing_to_compare() -> None:
    found = compare(users_of([]))
    assert (found.answers, found.users, found.accuracy, found.mae) == (0, 0, None, None)


def test_the_order_in_which_users_come_does_not_matter() -> None:
    chance = random.Random(4)
    answers: list[Answer] = [
        ((2, chance.choice((0, 2)), 2), (chance.choice((0, 1, 4)), chance.choice((0, 1))))
        for _ in range(300)
    ]
    users = users_of(answers, each=5)
    backwards = users[::-1]
    assert backwards != users
    assert compare(backwards) == compare(users)


def test_two_that_never_differ() -> None:
    found = compare(users_of([((2, 2, 2), (1, 1))] * 200))
    assert found.accuracy == Difference(0.0, 0.0, 0.0, p=1.0)
    assert found.better_at_sentiment is found.better_at_rating is None


def test_equal_models_are_told_apart_seldom() -> None:
    """Of 80 pairs of equal models with 150 answers each, at most some 5 of 100."""
    chance = random.Random(1)
    told_apart = 0
    for _ in range(80):
        answers: list[Answer] = []
        for _ in range(150):
            cls, mean = (2 if chance.random() < 0.8 else 0 for _ in range(2))
            errors = chance.choice((0, 0, 1, 1, 2, 5)), chance.choice((0, 0, 1, 1, 2, 5))
            answers.append(((2, cls, mean), errors))
        found = compare(users_of(answers))
        told_apart += {found.better_at_sentiment, found.better_at_rating} != {None}
    assert told_apart <= 9


def test_what_one_user_says_ten_times_is_said_once() -> None:
    chance = random.Random(2)
    once: list[Answer] = [
        ((2, chance.choice((0, 2)), 2), (chance.choice((0, 1, 4)), 1)) for _ in range(40)
    ]
    ten_times = [answer for answer in once for _ in range(10)]
    found, expected = compare(users_of(ten_times, each=10)), compare(users_of(once))
    assert (found.answers, found.users) == (400, 40)
    assert found.accuracy is not None
    assert expected.accuracy is not None
    assert (found.accuracy.low, found.accuracy.high) == pytest.approx(
        (expected.accuracy.low, expected.accuracy.high)
    )
    assert found.mae == expected.mae


MORE, LESS = Difference(0.1, 0.05, 0.15, 0.001), Difference(-0.1, -0.15, -0.05, 0.001)
NONE = Difference(0.1, -0.05, 0.15, 0.3)


@pytest.mark.parametrize(
    ("accuracy", "mae", "begins"),
    [
        (MORE, LESS, "Mean лучше: "),
        (LESS, MORE, "CLS лучше: "),
        (MORE, NONE, "Mean лучше угадывает"),
        (NONE, MORE, "CLS точнее"),
        (MORE, MORE, "Mean лучше угадывает настроение, CLS точнее"),
        (NONE, NONE, "Ни у одной"),
        (LESS, None, "CLS лучше угадывает"),
    ],
)
def test_the_verdict(accuracy: Difference, mae: Difference | None, begins: str) -> None:
    said = verdict(Comparison(ENOUGH, ENOUGH_USERS, accuracy, mae), RUSSIAN)
    assert said.startswith(begins)
    too_few = verdict(Comparison(ENOUGH - 1, ENOUGH_USERS, accuracy, mae), RUSSIAN)
    assert too_few.startswith("Пока слишком мало оценок")
    few_users = verdict(Comparison(ENOUGH, ENOUGH_USERS - 1, accuracy, mae), RUSSIAN)
    assert few_users.startswith("Пока слишком мало тех, кто оценил по просьбе")
