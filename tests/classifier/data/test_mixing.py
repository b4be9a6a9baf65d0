"""Mixed reviews: whose sentences they hold, and what they are called."""

from typing import Any

import pytest
from datasets import Dataset

from classifier.data.mixing import mixed_reviews, with_mixed

# Every sentence names its review, so that a mixed text tells where it comes from.
ROWS = [("a", 0, 1), ("b", 0, 2), ("c", 0, 5), ("d", 2, 9), ("e", 2, None), ("f", 1, 6)]


def sentence(name: str, number: int) -> str:
    return f"Это {name}{number} сказано."


@pytest.fixture(scope="module")
def rows() -> Dataset:
    columns: dict[str, list[Any]] = {
        "review_id": [name for name, _, _ in ROWS],
        "text": [" ".join(sentence(name, n) for n in range(8)) for name, _, _ in ROWS],
        "sentiment": [sentiment for _, sentiment, _ in ROWS],
        "rating": [rating for _, _, rating in ROWS],
    }
    return Dataset.from_dict(columns)


def sources(text: str) -> set[str]:
    return {word[0] for word in text.split() if word[-1].isdigit()}


def test_a_mixed_review_has_the_sentences_of_the_like_minded_alone(rows: Dataset) -> None:
    mixed = mixed_reviews(rows, 300, seed=1)
    assert len(mixed) == 300
    of_a_mind = {"a": "ab", "b": "ab", "c": "c", "d": "de", "e": "de", "f": "f"}
    for row in mixed:
        assert sources(row["text"]) <= set(of_a_mind[row["review_id"]])
        assert 4 <= row["text"].count("сказано.") <= 25
        name, sentiment, rating = next(r for r in ROWS if r[0] == row["review_id"])
        assert (row["sentiment"], row["rating"]) == (sentiment, rating), name
    assert any(len(sources(text)) == 2 for text in mixed["text"])


def test_every_row_lends_its_labels_about_as_often(rows: Dataset) -> None:
    mixed = mixed_reviews(rows, 62, seed=1)
    assert {mixed["review_id"].count(name) for name, _, _ in ROWS} <= {10, 11, 12}


def test_the_seed_decides_and_none_is_none(rows: Dataset) -> None:
    one, same, other = (mixed_reviews(rows, 50, seed)["text"] for seed in (1, 1, 2))
    assert list(one) == list(same) != list(other)
    assert with_mixed(rows, 0, seed=1) is rows
    together = with_mixed(rows, 10, seed=1)
    assert together["text"][: len(rows)] == rows["text"][:]
    assert len(together) == len(rows) + 10
    assert together.column_names == rows.column_names
