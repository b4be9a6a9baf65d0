"""Every row in one part, every sentiment in every part, the same again from the same seed."""

from collections import Counter
from collections.abc import Sequence
from itertools import chain

import pytest
from datasets import Dataset
from hypothesis import given
from hypothesis import strategies as st

from classifier.data.splits import By, Parts, restore_split, split_reviews, stratified_subset
from classifier.errors import ClassifierError

PARTS = ("train", "validation", "holdout")


def _rows(sentiments: list[int], films: Sequence[str | None] | None = None) -> Dataset:
    return Dataset.from_dict(
        {
            "review_id": [f"r{index}" for index in range(len(sentiments))],
            "movie_name": films or [None] * len(sentiments),
            "sentiment": sentiments,
        }
    )


def _every_row_once(parts: Parts, rows: Dataset) -> bool:
    return sorted(chain(*parts.ids().values())) == sorted(rows["review_id"])


def test_a_random_split_is_80_10_10_with_the_same_shares() -> None:
    rows = _rows([2] * 700 + [0] * 200 + [1] * 100)
    parts = split_reviews(rows, by="random", seed=1)
    shares = {name: Counter(getattr(parts, name)["sentiment"]) for name in PARTS}
    assert shares == {
        "train": {2: 560, 0: 160, 1: 80},
        "validation": {2: 70, 0: 20, 1: 10},
        "holdout": {2: 70, 0: 20, 1: 10},
    }
    assert _every_row_once(parts, rows)


@pytest.mark.parametrize("by", ["random", "film"])
def test_beside_a_holdout_of_its_own_it_is_90_10(by: By) -> None:
    rows = _rows(
        [2] * 700 + [0] * 200 + [1] * 100, [f"Фильм {index % 50}" for index in range(1000)]
    )
    holdout = _rows([0, 2] * 20)  # the ids are of others: r0, r1…
    parts = split_reviews(rows, by=by, seed=1, holdout=holdout)
    assert [len(getattr(parts, name)) for name in PARTS] == [900, 100, 40]
    assert Counter(parts.validation["sentiment"]) == {2: 70, 0: 20, 1: 10}
    if by == "film":
        assert not set(parts.train["movie_name"]) & set(parts.validation["movie_name"])
    restored = restore_split(rows, parts.ids(), holdout)
    assert restored.ids() == parts.ids()
    assert restored.holdout["sentiment"] == [0, 2] * 20


@given(st.tuples(*[st.integers(0, 40)] * 3), st.integers(0, 5))
def test_a_sentiment_of_three_rows_is_in_every_part(counts: tuple[int, ...], seed: int) -> None:
    sentiments = [kind for kind, count in enumerate(counts) for _ in range(count)]
    kinds = sum(count > 0 for count in counts)
    rows = _rows(sentiments)
    if kinds < 2 or len(rows) < 3 * kinds:
        with pytest.raises(ClassifierError):
            split_reviews(rows, by="random", seed=seed)
        return
    parts = split_reviews(rows, by="random", seed=seed)
    assert _every_row_once(parts, rows)
    for kind, count in enumerate(counts):
        in_parts = [Counter(getattr(parts, name)["sentiment"])[kind] for name in PARTS]
        assert all(in_parts) if count >= 3 else in_parts == [count, 0, 0]


@pytest.mark.parametrize("by", ["random", "film"])
def test_the_seed_decides(by: By) -> None:
    rows = _rows([0, 1, 2, 2, 2] * 40, [f"Фильм {index // 4}" for index in range(200)])
    first, again, other = (split_reviews(rows, by=by, seed=seed) for seed in (7, 7, 8))
    assert first.ids() == again.ids() != other.ids()


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 12)), min_size=9, max_size=80))
def test_films_stay_whole(reviews: list[tuple[int, int]]) -> None:
    films = [f"Фильм {film}" if film else None for _, film in reviews]
    rows = _rows([sentiment for sentiment, _ in reviews], films)
    try:
        parts = split_reviews(rows, by="film", seed=0)
    except ClassifierError:
        enough = len(set(films) - {None}) + films.count(None) >= 3
        assert not (enough and any(films)) or len(set(rows["sentiment"])) == 1 or _one_sided(rows)
        return
    assert _every_row_once(parts, rows)
    named = [set(getattr(parts, name)["movie_name"]) - {None} for name in PARTS]
    assert sum(map(len, named)) == len(set().union(*named))
    assert all(len(getattr(parts, name)) for name in PARTS)


def _one_sided(rows: Dataset) -> bool:
    """Whether some film holds all rows of a sentiment, so that training may lose it."""
    films: dict[int, set[str | None]] = {}
    for sentiment, film in zip(rows["sentiment"], rows["movie_name"], strict=True):
        films.setdefault(sentiment, set()).add(film)
    return min(map(len, films.values())) <= 2


def test_a_film_split_is_near_to_80_10_10_and_to_the_shares() -> None:
    films = [f"Фильм {index % 60}" for index in range(1200)]
    rows = _rows([(0, 2, 2, 2, 1)[index // 60 % 5] for index in range(1200)], films)
    parts = split_reviews(rows, by="film", seed=3)
    assert [len(getattr(parts, name)) for name in PARTS] == [960, 120, 120]
    assert Counter(parts.holdout["sentiment"]) == {2: 72, 0: 24, 1: 24}


def test_what_can_t_be_split_is_said_in_a_sentence() -> None:
    few = _rows([0, 2])
    few.info.description = "reviews.csv"
    with pytest.raises(ClassifierError, match=r"reviews\.csv has 2 usable rows; at least 6 are"):
        split_reviews(few, by="random", seed=0)
    with pytest.raises(ClassifierError, match="at least 4 are needed to train and validate"):
        split_reviews(few, by="random", seed=0, holdout=few)
    with pytest.raises(ClassifierError, match=r"All 50 usable rows .* are of one sentiment"):
        split_reviews(_rows([2] * 50), by="random", seed=0)
    with pytest.raises(ClassifierError, match="names no films"):
        split_reviews(_rows([0, 2] * 20), by="film", seed=0)
    with pytest.raises(ClassifierError, match="has 2 films; at least 3 are needed"):
        split_reviews(_rows([0, 2] * 20, ["А", "Б"] * 20), by="film", seed=0)
    one_film = _rows([0, 2] * 20, ["А"] * 40)
    with pytest.raises(ClassifierError, match="has 1 films; at least 2 are needed"):
        split_reviews(one_film, by="film", seed=0, holdout=few)
    with pytest.raises(ClassifierError, match="rows of one sentiment to train on"):
        split_reviews(_rows([2] * 20 + [0], ["А", "Б", "В", "Г"] * 5 + ["Д"]), by="film", seed=1)


def test_a_split_comes_back_from_its_ids_in_any_order_of_rows() -> None:
    rows = _rows([0, 1, 2] * 30)
    parts = split_reviews(rows, by="random", seed=0)
    restored = restore_split(rows.select(range(89, -1, -1)), parts.ids())
    assert restored.ids() == parts.ids()
    assert restored.holdout["sentiment"] == parts.holdout["sentiment"]


def test_a_split_of_other_rows_is_refused() -> None:
    rows = _rows([0, 1, 2] * 30)
    ids = split_reviews(rows, by="random", seed=0).ids()
    with pytest.raises(ClassifierError, match="lacks 2 of the 90 reviews of the split, r0 for"):
        restore_split(rows.select(range(2, 90)), ids)


@given(st.lists(st.integers(0, 2), min_size=1, max_size=120), st.data())
def test_a_subset_keeps_shares_and_begins_every_larger_one(
    sentiments: list[int], data: st.DataObject
) -> None:
    rows, kinds = _rows(sentiments), len(set(sentiments))
    size = data.draw(st.integers(kinds, len(rows)))
    subset = stratified_subset(rows, size, seed=5)
    assert len(subset) == len(set(subset["review_id"])) == size
    larger = stratified_subset(rows, size + 9, seed=5)
    assert list(larger["review_id"])[:size] == list(subset["review_id"])
    counts, all_counts = Counter(subset["sentiment"]), Counter(sentiments)
    for kind, count in all_counts.items():
        assert counts[kind] >= 1
        assert abs(counts[kind] - size * count / len(rows)) < kinds


def test_a_subset_too_small_for_the_sentiments_is_refused() -> None:
    with pytest.raises(ClassifierError, match="2 rows can't hold all 3 sentiments"):
        stratified_subset(_rows([0, 1, 2, 2]), 2, seed=0)
