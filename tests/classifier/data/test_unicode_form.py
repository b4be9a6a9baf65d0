"""Normal forms of texts, with however many combining marks."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.data.unicode_form import normalized

MARKS = ["\u0301", "\u0323", "\u0345", "\u0344", "\uff9e", "\u3099", "\u0306"]


@given(st.text(st.sampled_from([*MARKS, *"аиИåкカ ﬁ\n"]), max_size=30) | st.text(max_size=60))
def test_texts_that_people_write_are_normalized_as_ever(text: str) -> None:
    assert normalized("NFC", text) == unicodedata.normalize("NFC", text)
    assert normalized("NFKC", text) == unicodedata.normalize("NFKC", text)


@pytest.mark.parametrize("mark", MARKS)
def test_of_more_marks_than_any_language_needs_the_first_stay(mark: str) -> None:
    text = "ки" + mark * 1000 + "но" + mark * 3
    assert normalized("NFKC", text) == unicodedata.normalize(
        "NFKC", "ки" + mark * 30 + "но" + mark * 3
    )


def test_long_texts_without_marks_stay() -> None:
    text = "映画はとても良い。" * 50 + "★" * 100 + "ё" * 100
    assert normalized("NFC", text) == text
