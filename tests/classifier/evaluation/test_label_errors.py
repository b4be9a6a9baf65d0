"""Confident learning: which labels are likely wrong."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from classifier.evaluation.label_errors import likely_wrong

SHARES = (0.3, 0.1, 0.6)


def judged(seed: int, rows: int = 300) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """True labels, and what able models say: never sure of the rare class in the middle."""
    chance = np.random.default_rng(seed)
    truth = chance.choice(3, rows, p=SHARES)
    towards = np.array([[12.0, 1.0, 1.0], [3.0, 4.0, 4.0], [0.5, 1.0, 12.0]])
    return truth, np.array([chance.dirichlet(towards[kind]) for kind in truth])


@pytest.mark.parametrize("seed", range(3))
def test_labels_made_wrong_are_found_first(seed: int) -> None:
    truth, said = judged(seed)
    sure = np.flatnonzero((said.argmax(axis=1) == truth) & (truth != 1))
    planted = np.random.default_rng(seed).choice(sure, 15, replace=False)
    labels = truth.copy()
    labels[planted] = 2 - labels[planted]
    found, quality = likely_wrong(labels, said)
    assert len(set(found[:15].tolist()) & set(planted.tolist())) >= 12
    assert (np.diff(quality[found]) >= 0).all(), "the worst first"


def test_a_class_of_which_models_are_never_sure_is_no_error() -> None:
    """All Neutral rows are taken for Good, and each is as Neutral as any other."""
    labels = np.repeat([0, 1, 2], [40, 10, 50])
    said = np.array([[0.9, 0.05, 0.05], [0.1, 0.4, 0.5], [0.02, 0.08, 0.9]])[labels]
    assert likely_wrong(labels, said)[0].size == 0
    labels[0] = 2
    assert likely_wrong(labels, said)[0].tolist() == [0]


def test_two_classes_are_enough() -> None:
    labels = np.repeat([0, 2], [20, 30])
    said = np.array([[0.8, 0.0, 0.2], [0.0, 0.0, 0.0], [0.1, 0.0, 0.9]])[labels]
    labels[3] = 2
    assert likely_wrong(labels, said)[0].tolist() == [3]


ROUNDED = 3
"""cleanlab rounds how many labels of each class are wrong, in the order of the classes."""


@settings(max_examples=20)
@given(st.integers(0, 99), st.integers(0, 30), st.permutations(range(3)))
def test_neither_the_order_of_rows_nor_the_classes_names_matter(
    seed: int, wrong: int, names: list[int]
) -> None:
    labels, said = judged(seed, rows=120)
    labels[:wrong] = (labels[:wrong] + 1) % 3
    found, _ = likely_wrong(labels, said)
    assert (said[found].argmax(axis=1) != labels[found]).all(), "the models must say otherwise"
    renamed = np.empty_like(said)
    renamed[:, names] = said
    again, _ = likely_wrong(np.array(names)[labels], renamed)
    assert len(set(again.tolist()) ^ set(found.tolist())) <= ROUNDED
    order = np.random.default_rng(seed).permutation(len(labels))
    moved, _ = likely_wrong(labels[order], said[order])
    assert set(order[moved].tolist()) == set(found.tolist())
