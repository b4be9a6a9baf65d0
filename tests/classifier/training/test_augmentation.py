"""Random stretches of long texts: never without what frames a text."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from classifier.data.tokens import Tokens
from classifier.training.augmentation import random_windows

CLS, SEP = 1, 2


def tokens_of(lengths: list[int]) -> Tokens:
    """Texts whose inner ids count up from 10, each in [CLS] and [SEP]."""
    texts = [[CLS, *range(10, 10 + length), SEP] for length in lengths]
    starts = np.cumsum([0, *(len(text) for text in texts)], dtype=np.int64)
    return Tokens(np.array([i for text in texts for i in text], dtype=np.int32), starts, pad_id=0)


@given(st.lists(st.integers(0, 60), min_size=1, max_size=8), st.integers(3, 40), st.integers(0, 99))
def test_a_window_is_a_stretch_of_its_text(lengths: list[int], width: int, seed: int) -> None:
    seen = random_windows(tokens_of(lengths), width, np.random.default_rng(seed))
    assert seen.lengths.tolist() == [min(length + 2, width) for length in lengths]
    for row, length in enumerate(lengths):
        first, *inner, last = seen.ids[seen.starts[row] : seen.starts[row + 1]].tolist()
        assert (first, last) == (CLS, SEP)
        assert inner == list(range(inner[0], inner[0] + len(inner))) if inner else True
        assert not inner or 10 <= inner[0] <= inner[-1] < 10 + length


def test_ends_are_seen_as_often_as_the_middle() -> None:
    tokens = tokens_of([50])
    rng = np.random.default_rng(0)
    seen = [random_windows(tokens, 12, rng).ids[1:-1] for _ in range(400)]
    times = np.bincount(np.concatenate(seen), minlength=60)[10:]
    assert times.min() > times.mean() / 2  # windows wholly inside show an end a fifth as often


def test_windows_differ_by_epoch_and_repeat_by_seed() -> None:
    tokens = tokens_of([50, 40, 30])
    first, again, other = (
        random_windows(tokens, 12, np.random.default_rng(seed)) for seed in ((3, 0), (3, 0), (3, 1))
    )
    assert np.array_equal(first.ids, again.ids)
    assert not np.array_equal(first.ids, other.ids)
