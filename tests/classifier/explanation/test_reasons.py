"""What pulls an answer up and down, where it is known: each word has its weight."""

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
from tests.classifier.explanation.word_weights import WEIGHTS, predict, predicted


def explanation(text: str, *, rated: bool = True) -> Explanation:
    units = Units.of(text)
    return explained(units, predict(variants(units), rated=rated))


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
