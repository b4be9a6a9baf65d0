"""How far figures move by chance: bootstrap intervals, and tests of a paired difference.

What is drawn are units. In a file of reviews each review is a unit. In live statistics a user is
one, with all of their answers, because the reviews of one user are more alike than those of two.
(Field and Welsh, "Bootstrapping clustered data", Journal of the Royal Statistical Society B 69(3),
2007.) Each figure is computed anew from the sums over the units drawn: counting is exact, and
vectorised over resamples, which a thousand calls of scikit-learn would not be.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIGNIFICANCE = 0.05  # shared out among the measures of a comparison (Bonferroni)
Figures = dict[str, NDArray[np.float64]]  # by name, in each resample [m]; NaN where undefined
_CHUNK = 2**18  # numbers drawn at a time: few enough to stay in a processor's cache


@dataclass(frozen=True)
class Difference:
    """The second model's figure less the first's, its 95 % interval, and its p value."""

    difference: float
    low: float
    high: float
    p: float


def excludes_zero(difference: float, low: float, high: float) -> bool:
    """Whether the difference and its whole interval are on one side of zero."""
    return min(difference, low) > 0 or max(difference, high) < 0


def paired_differences(
    first: NDArray[Any],
    second: NDArray[Any],
    figures_of: Callable[[NDArray[np.float64]], Figures],
    *,
    seed: int,
    resamples: int,
) -> dict[str, Difference]:
    """The figures of two models on the same units, second less first.

    `first` and `second` [units, k] are what each unit adds to the sums of each model;
    `figures_of` computes a model's figures [m] from such sums [m, k].

    The interval is the paired bootstrap's: the same units are drawn for both models. p is the
    paired randomisation test's: how often a difference as large comes about when a coin decides,
    for each unit, which model's sums are whose (Noreen, "Computer-Intensive Methods for Testing
    Hypotheses", 1989; Yeh, COLING 2000). p can't be less than 1 / (resamples + 1). A figure that
    is undefined in every resample is left out.
    """
    # Units that add the same are drawn together: all that matters is how many of them.
    sums, sizes = np.unique(np.hstack([first, second]), axis=0, return_counts=True)
    of_first, of_second = np.hsplit(sums.astype(np.float64), 2)
    all_first, all_second = sizes[None] @ of_first, sizes[None] @ of_second

    def difference(first: NDArray[np.float64], second: NDArray[np.float64]) -> Figures:
        before, after = figures_of(first), figures_of(second)
        return {name: after[name] - before[name] for name in before}

    def swapped(times: NDArray[np.int64]) -> Figures:
        moved = times @ (of_second - of_first)
        return difference(all_first + moved, all_second - moved)

    chunks = [
        (difference(drawn @ of_first, drawn @ of_second), swapped(tossed))
        for drawn, tossed in drawn_sizes(sizes, resamples, seed)
    ]
    resampled, by_chance = map(all_chunks, zip(*chunks, strict=True))
    found = {}
    for name, (value,) in difference(all_first, all_second).items():
        if interval := percentile_interval(resampled[name]):
            # The tolerance is for rounding; the observed arrangement counts as one.
            as_large = np.sum(np.abs(by_chance[name]) >= abs(value) - 1e-12)
            p = float((as_large + 1) / (resamples + 1))
            found[name] = Difference(float(value), interval[0], interval[1], p)
    return found


def mcnemar(first_only: int, second_only: int) -> float:
    """Exact two-sided p of the reviews that one model alone gets right (Psychometrika 12, 1947)."""
    from scipy.special import bdtr  # the bot's start does without

    fewer = min(first_only, second_only)
    return min(1.0, 2 * float(bdtr(fewer, first_only + second_only, 0.5)))


def drawn_rows(rows: int, resamples: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """So many rows drawn with replacement, in chunks [some resamples, rows] of bounded memory."""
    generator = np.random.default_rng(seed)
    for size in _chunks(resamples, rows):
        yield generator.integers(0, rows, size=(size, rows))


def drawn_sizes(
    sizes: NDArray[np.int64], resamples: int, seed: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """The sizes of groups of equal units in resamples, in chunks [some resamples, groups].

    First those of all units drawn with replacement, then of the units that a coin decides to swap.
    """
    generator = np.random.default_rng(seed)
    for size in _chunks(resamples, len(sizes)):
        drawn = generator.multinomial(sizes.sum(), sizes / sizes.sum(), size=size)
        yield drawn, generator.binomial(sizes, 0.5, size=(size, len(sizes)))


def _chunks(resamples: int, numbers: int) -> Iterator[int]:
    """How many resamples of so many numbers to draw at a time."""
    most = max(1, _CHUNK // numbers)
    return (min(most, resamples - start) for start in range(0, resamples, most))


def sums_by_cell(
    cells: NDArray[np.int64], count: int, weights: NDArray[Any] | None = None
) -> NDArray[np.float64]:
    """Units, or their weights, by cell [m, count], from the `cells` and `weights` [m, units]."""
    offset = np.arange(len(cells))[:, None] * count
    flat = np.bincount(
        (cells + offset).ravel(),
        weights=None if weights is None else weights.ravel(),
        minlength=len(cells) * count,
    )
    return flat.reshape(len(cells), count).astype(np.float64, copy=False)


def all_chunks(chunks: Iterable[Figures]) -> Figures:
    """The figures of all chunks of resamples, one after the other."""
    every = list(chunks)
    return {name: np.concatenate([figures[name] for figures in every]) for name in every[0]}


def percentile_interval(figures: NDArray[np.float64]) -> list[float] | None:
    """The 95 % percentile interval [low, high] of a figure's resamples; None if none is defined."""
    defined = figures[~np.isnan(figures)]
    return [float(end) for end in np.percentile(defined, [2.5, 97.5])] if len(defined) else None


def mean_with_interval(
    values: NDArray[np.float64], seed: int = 0, resamples: int = 1000
) -> dict[str, Any]:
    """The mean of n values, with its 95 % bootstrap interval; ready for JSON."""
    drawn = [values[rows].mean(axis=1) for rows in drawn_rows(len(values), resamples, seed)]
    return {"mean": float(values.mean()), "interval": percentile_interval(np.concatenate(drawn))}


def ratio(
    part: NDArray[Any], whole: NDArray[Any], undefined: float = np.nan
) -> NDArray[np.float64]:
    """part / whole, and `undefined` where whole is 0."""
    result = np.full(np.broadcast(part, whole).shape, undefined)
    np.divide(part, whole, out=result, where=whole > 0)
    return result
