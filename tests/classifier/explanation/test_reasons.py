"""What pulls an answer up and down, where it is known: each word has its weight."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.explanation.reasons import (
    LEAST_SHOWN,
    MOST_SHOWN,
    Explanation,
    expected_rating,
    explained,
    variants,
)
from classifier.explanation.units import Units
from classifier.modeling.pooling import Pooling
from classifier.serving.predictor import Prediction

WEIGHTS: dict[Pooling, dict[str, float]] = {
    "cls": {"великолепно": 3, "хорошо": 1, "скучно": -1, "ужасно": -4},
    "mean": {"великолепно": 1, "хорошо": 3, "скучно": -1, "ужасно": -4},
}


def predicted(text: str, pooling: Pooling, *, rated: bool = True) -> Prediction:
    """Goodness 0 to 1, and a rating around ten times that."""
    score = sum(weight * text.lower().count(word) for word, weight in WEIGHTS[pooling].items())
    good = 1 / (1 + math.exp(-score))
    ratings = [math.comb(10, k) * good**k * (1 - good) ** (10 - k) for k in range(11)]
    return Prediction(
        pooling=pooling,
        sentiment="Good" if good >= 0.5 else "Bad",
        sentiment_probabilities=(1 - good, 0.0, good),
        rating=round(10 * good) if rated else None,
        rating_probabilities=tuple(ratings) if rated else None,
        rating_confidence=0.5 if rated else None,
        version="v",
        milliseconds=1.0,
    )


def explanation(text: str, *, rated: bool = True) -> Explanation:
    units = Units.of(text)
    return explained(
        units,
        [
            {pooling: predicted(variant, pooling, rated=rated) for pooling in WEIGHTS}
            for variant in variants(units)
        ],
    )


REVIEW = "Шёл дождь. Начало великолепно. Дальше хорошо. Местами скучно. Мы ели попкорн."


@pytest.mark.parametrize("rated", [True, False])
def test_the_strongest_come_first_and_what_does_nothing_is_left_out(rated: bool) -> None:
    reasons = explanation(REVIEW, rated=rated).by_model["cls"]
    assert [pull.text for pull in reasons.up] == ["Начало великолепно.", "Дальше хорошо."]
    assert [pull.text for pull in reasons.down] == ["Местами скучно."]
    assert reasons.decisive == reasons.up[0]
    assert reasons.up[0].sentiment > reasons.up[1].sentiment > 0


def test_a_pull_is_in_points_of_the_rating() -> None:
    (pull, *_) = explanation(REVIEW).by_model["cls"].up
    without = "Шёл дождь. Дальше хорошо. Местами скучно. Мы ели попкорн."
    both = [expected_rating(predicted(text, "cls")) for text in (REVIEW, without)]
    assert pull.rating == pytest.approx(both[0] - both[1])


def test_models_that_rest_on_other_sentences_differ() -> None:
    assert explanation(REVIEW).differ
    assert not explanation("Мы ели попкорн. Всё было ужасно.").differ


def test_of_a_single_sentence_the_words_are_told() -> None:
    found = explanation("Финал великолепно снят")
    assert found.units.kind == "words"
    assert [pull.text for pull in found.by_model["mean"].up] == ["великолепно"]


def test_a_text_without_words_has_no_reasons() -> None:
    found = explanation("10/10!")
    assert not found.differ
    assert all(not (one.up or one.down or one.decisive) for one in found.by_model.values())


WORDS = [*WEIGHTS["cls"], "кино", "дождь"]


@given(st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=4), min_size=1, max_size=20))
def test_a_few_pieces_each_pulling_its_own_way(sentences: list[list[str]]) -> None:
    text = " ".join(" ".join(words).capitalize() + "." for words in sentences)
    for reasons in explanation(text).by_model.values():
        for pulls, sign in ((reasons.up, 1), (reasons.down, -1)):
            assert len(pulls) <= MOST_SHOWN
            sizes = [sign * pull.rating for pull in pulls]
            assert sizes == sorted(sizes, reverse=True)
            assert all(size >= LEAST_SHOWN for size in sizes)
