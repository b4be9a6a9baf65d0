"""Words are hidden at random, and what frames a text never."""

import numpy as np
import pytest

from classifier.data.tokens import Tokens
from classifier.training.word_dropout import without_some_words

MASK = 4


def test_a_share_of_the_words_is_hidden_and_the_rest_is_as_it_was(ragged: Tokens) -> None:
    rng = np.random.default_rng(0)
    texts = ragged
    for _ in range(6):
        texts = texts + texts
    some = without_some_words(texts, 0.15, MASK, rng)
    hidden = some.ids != texts.ids
    assert (some.ids[hidden] == MASK).all()
    assert hidden.sum() / (texts.lengths - 2).sum() == pytest.approx(0.15, abs=0.01)
    assert not hidden[texts.starts[:-1]].any()
    assert not hidden[texts.starts[1:] - 1].any()
    assert some.ids.dtype == texts.ids.dtype
    assert np.array_equal(some.starts, texts.starts)


def test_other_words_every_time(ragged: Tokens) -> None:
    rng = np.random.default_rng(0)
    first, second = (without_some_words(ragged, 0.5, MASK, rng).ids for _ in range(2))
    assert not np.array_equal(first, second)
