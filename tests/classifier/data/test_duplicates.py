"""The same texts, nearly the same, and versions of one."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.data.duplicates import exact_duplicates, near_duplicates, versions_of_one_text


def test_exact_duplicates_ignore_case_blanks_and_unicode_forms() -> None:
    texts = ["Мой  фильм", "мой\nфильм ", "МОИ\u0306 ФИЛЬМ", "Мой фильм!", "ﬁlm", "FILM"]
    assert exact_duplicates(texts).tolist() == [False, True, True, False, False, True]


def test_a_long_review_with_a_new_heading_is_nearly_the_same() -> None:
    body = " ".join(f"слово{index}" for index in range(60))
    texts = [body, f"Заголовок. {body.upper()}!", " ".join(reversed(body.split()))]
    assert near_duplicates(texts).tolist() == [False, True, False]


def test_the_first_stays_and_what_resembles_only_a_removed_one_stays() -> None:
    words = [f"слово{index}" for index in range(104)]
    chain = [" ".join(words[start : start + 84]) for start in (0, 8, 16)]
    assert [near_duplicates(list(pair)).any() for pair in pairwise(chain)] == [True, True]
    assert near_duplicates(chain).tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Хороший фильм", "Плохой фильм"),
        ("Скучно", "Страшно"),
        ("Не советую смотреть этот фильм", "Советую смотреть этот фильм"),
        ("Отличный фильм, всем советую, 8 из 10", "Отличный фильм, всем советую, 9 из 10"),
        ("!!!", "???"),
    ],
)
def test_different_short_reviews_stay(one: str, other: str) -> None:
    assert not near_duplicates([one, other]).any()


def test_no_texts_have_no_duplicates() -> None:
    assert exact_duplicates([]).shape == near_duplicates([]).shape == (0,)


@given(st.lists(st.lists(st.sampled_from("абв"), max_size=14).map(" ".join), max_size=12))
def test_near_duplicates_agree_with_comparing_every_pair(texts: list[str]) -> None:
    def shingles(text: str) -> set[tuple[str, ...]]:
        words = text.split()
        return {tuple(words[i : i + 5]) for i in range(max(1, len(words) - 4))} if words else set()

    kept: list[set[tuple[str, ...]]] = []
    expected = []
    for one in map(shingles, texts):
        alike = any(5 * len(one & other) >= 4 * len(one | other) for other in kept if one)
        expected.append(alike)
        if not alike:
            kept.append(one)
    np.testing.assert_array_equal(near_duplicates(texts), expected)


def test_versions_of_a_text_share_more_than_a_phrase() -> None:
    text = "один два три четыре пять шесть семь восемь девять десять"
    others = [
        f"{text} и ещё столько же слов, каких там не было и в помине, а то и больше",
        "три четыре пять шесть семь восемь",
        "Совсем о другом: раз, два, три четыре пять, и дальше всё иначе, чем там.",
        "…",
    ]
    assert versions_of_one_text([text] * 4, others).tolist() == [True, True, False, False]
