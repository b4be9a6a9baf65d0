"""A review cut into what can be left out of it."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.explanation.units import MOST_UNITS, Units

TEXTS = st.text(alphabet=" .!?\n\t…«»-10абвЁ😀", max_size=300)


def pieces(text: str) -> list[str]:
    units = Units.of(text)
    return [units.alone(unit) for unit in range(len(units.spans))]


def test_sentences_with_abbreviations_quotes_and_lines() -> None:
    text = "Плюсы:\n— игра, т. е. всё.\nНу и что?! «Да», — сказал он. 10/10"
    assert pieces(text) == ["Плюсы:", "— игра, т. е. всё.", "Ну и что?!", "«Да», — сказал он."]


def test_the_words_of_a_single_sentence() -> None:
    units = Units.of("Не-плохо, но скучно: 7 из 10!")
    assert units.kind == "words"
    assert pieces(units.text) == ["Не-плохо", "но", "скучно", "из"]
    assert units.without(0) == ", но скучно: 7 из 10!"


@pytest.mark.parametrize("text", ["", " \n", "10/10", "!!! 😀"])
def test_a_text_without_words_has_no_units(text: str) -> None:
    assert Units.of(text).spans == ()


@given(TEXTS)
def test_units_hold_every_letter_once_in_order(text: str) -> None:
    units = Units.of(text)
    assert len(units.spans) <= MOST_UNITS
    edges = [edge for span in units.spans for edge in span]
    assert edges == sorted(edges)
    assert re.sub(r"[\W\d_]", "", "".join(pieces(text))) == re.sub(r"[\W\d_]", "", text)


@given(TEXTS)
def test_without_a_unit_the_others_are_there(text: str) -> None:
    units = Units.of(text)
    for unit, (start, stop) in enumerate(units.spans):
        left = re.sub(r"\s", "", text[:start] + text[stop:])
        assert re.sub(r"\s", "", units.without(unit)) == left


def test_the_shortest_neighbours_are_taken_together() -> None:
    long = ["Это длинное предложение про сюжет и актёров." for _ in range(MOST_UNITS - 1)]
    text = " ".join([*long, "Да.", "Нет.", "Ой."])
    assert pieces(text) == [*long, "Да. Нет. Ой."]


@pytest.mark.parametrize(
    "text",
    ["кино " * 4000, "Да. " * 5000, "ж" * 20_000, "а.б" * 7000, "«" * 20_000, "Ура!\n" * 4000],
)
def test_twenty_thousand_characters_are_cut_in_a_moment(text: str) -> None:
    started = time.process_time()
    units = Units.of(text)
    assert len(units.spans) <= MOST_UNITS
    assert time.process_time() - started < 2
