"""Texts in which one sentence judges, and whether the reasons name it."""

import random

import pytest
import razdel

from classifier.evaluation.judging_sentences import naming, planted_texts
from classifier.explanation.units import Units
from classifier.modeling.pooling import POOLINGS, Pooling
from classifier.serving.predictor import Prediction
from tests.classifier.explanation.word_weights import predicted


def test_a_text_has_one_judging_sentence_anywhere() -> None:
    texts = planted_texts(300)
    places = set()
    for text, sentence in texts:
        units = Units.of(text)
        assert units.kind == "sentences"
        assert 5 <= len(units.spans) == len(list(razdel.sentenize(text))) <= 9
        (place,) = (at for at in range(len(units.spans)) if sentence in units.alone(at))
        places.add(place)
    assert places == set(range(9)), "the first, the last and all between"
    assert len({text for text, _ in texts}) == 300
    assert planted_texts(10) == texts[:10]


def test_models_that_rest_on_it_name_it_and_others_do_not() -> None:
    """CLS knows half of the judging words, mean pooling none and answers by the snow."""
    words = dict.fromkeys(["ужас", "позор", "провал", "великолепн", "шедевр", "отличн"], 1)

    def predict(texts: list[str]) -> list[dict[Pooling, Prediction]]:
        def said(text: str, pooling: Pooling) -> Prediction:
            known = any(word in text.lower() for word in words) and pooling == "cls"
            return predicted("ужасно" if known else "хорошо" * ("снег" in text), pooling)

        return [{pooling: said(text, pooling) for pooling in POOLINGS} for text in texts]

    told: list[None] = []
    figures = naming(predict, 80, lambda: told.append(None))
    assert figures["texts"] == len(told) == 80
    assert 0.3 < figures["cls"]["first"]["mean"] == figures["cls"]["named"]["mean"] < 0.9
    low, high = figures["cls"]["first"]["interval"]
    assert low < figures["cls"]["first"]["mean"] < high
    assert figures["mean"]["named"]["mean"] == figures["both"]["named"]["mean"] == 0
    assert 1 / 9 < figures["chance"]["first"]["mean"] < 1 / 5
    assert figures["chance"]["named"]["mean"] < 0.2, "each names one at most"


@pytest.mark.parametrize("seed", range(3))
def test_every_sentence_of_a_template_is_one(seed: int) -> None:
    """Nothing is left to fill in, and the splitter takes none for two."""
    for text, sentence in planted_texts(50, random.Random(seed).randint(0, 10**6)):
        assert not set("{}") & set(text)
        assert len(list(razdel.sentenize(sentence))) == 1
