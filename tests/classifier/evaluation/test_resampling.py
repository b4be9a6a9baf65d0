import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binomtest

from classifier.evaluation.resampling import (
    Figures,
    drawn_rows,
    drawn_sizes,
    mcnemar,
    paired_differences,
    ratio,
)


def test_units_of_several_reviews_equal_a_plain_loop() -> None:
    """Users are drawn, and swapped, with all of their reviews."""
    rng = np.random.default_rng(0)
    reviews = rng.integers(0, 6, 30)
    first, second = (np.stack([reviews, rng.integers(0, 9, 30)], axis=1) for _ in range(2))

    def figures_of(sums: NDArray[np.float64]) -> Figures:
        return {"error": ratio(sums[:, 1], sums[:, 0])}

    found = paired_differences(first, second, figures_of, seed=4, resamples=300)["error"]
    gap = second[:, 1] - first[:, 1]
    _, one_of, sizes = np.unique(
        np.hstack([first, second]), axis=0, return_index=True, return_counts=True
    )
    ((drawn, tossed),) = drawn_sizes(sizes, 300, seed=4)
    assert (drawn.sum(axis=1) == 30).all()
    assert (tossed <= sizes).all()
    resampled = [
        sum(gap[user] for user in users) / reviews[users].sum()
        for users in (np.repeat(one_of, times) for times in drawn)
    ]
    by_chance = [abs(sum(gap[one_of] * (sizes - 2 * times))) for times in tossed]
    assert found.difference == pytest.approx(gap.sum() / reviews.sum())
    assert (found.low, found.high) == pytest.approx(tuple(np.percentile(resampled, [2.5, 97.5])))
    as_large = sum(size >= abs(gap.sum()) for size in by_chance)
    assert found.p == pytest.approx((as_large + 1) / 301)


@pytest.mark.parametrize(("first", "second"), [(0, 0), (0, 7), (3, 3), (12, 5), (90, 130)])
def test_mcnemar_is_scipys_binomial_test(first: int, second: int) -> None:
    p = binomtest(first, first + second).pvalue if first + second else 1.0
    assert mcnemar(first, second) == mcnemar(second, first) == pytest.approx(p)


def test_resamples_are_drawn_from_all_rows_in_chunks_of_bounded_memory() -> None:
    chunks = list(drawn_rows(100_000, 5, seed=0))
    assert [chunk.shape for chunk in chunks] == [(2, 100_000), (2, 100_000), (1, 100_000)]
    drawn = np.concatenate(chunks)
    assert drawn.min() >= 0
    assert drawn.max() < 100_000
    distinct = [len(np.unique(resample)) / 100_000 for resample in drawn]
    assert distinct == pytest.approx([1 - math.exp(-1)] * 5, abs=0.01)
