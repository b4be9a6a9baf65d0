"""Which pooling is better on live reviews, and whether that is more than chance.

The answers are grouped already, so a resample is one multinomial draw of the groups' counts: the
same as drawing the reviews one by one with both models' answers, and quick for any number of them.
"""

from collections import Counter
from collections.abc import Mapping

import numpy as np
from scipy.stats import binomtest

from bot.services.comparison import Comparison, Difference
from db.pairs import PairStatistics

_RESAMPLES = 4000
_SEED = 0  # the same answers make the same message


def compare(pair: PairStatistics) -> Comparison:
    return Comparison(pair.answered, _accuracy(pair), _mae(pair.errors))


def _accuracy(pair: PairStatistics) -> Difference | None:
    """p is exact McNemar's (Psychometrika 12, 1947)."""
    only_mean, only_cls = pair.only_mean_right, pair.only_cls_right
    if not pair.answered:
        return None
    same = pair.answered - only_mean - only_cls
    discordant = only_mean + only_cls
    p = float(binomtest(only_mean, discordant).pvalue) if discordant else 1.0
    return _difference({1: only_mean, -1: only_cls, 0: same}, p)


def _mae(errors: Mapping[tuple[int, int], int]) -> Difference | None:
    gaps: Counter[int] = Counter()
    for (of_cls, of_mean), times in errors.items():
        gaps[of_mean - of_cls] += times
    return _difference(gaps, _swapped(gaps)) if gaps else None


def _difference(gaps: Mapping[int, int], p: float) -> Difference:
    """Of what mean has more than CLS on a review → on how many reviews."""
    gap, times = np.array(list(gaps)), np.array(list(gaps.values()))
    count = times.sum()
    drawn = np.random.default_rng(_SEED).multinomial(count, times / count, _RESAMPLES)
    low, high = np.percentile(drawn @ gap / count, [2.5, 97.5])
    return Difference(float(times @ gap / count), float(low), float(high), p)


def _swapped(gaps: Mapping[int, int]) -> float:
    """How often the sum is as large when a coin decides, for each review, whose answer is whose.

    Noreen, "Computer-Intensive Methods for Testing Hypotheses", 1989.
    """
    by_size: Counter[int] = Counter()
    for gap, times in gaps.items():
        by_size[abs(gap)] += times
    size, times_of = np.array(list(by_size)), np.array(list(by_size.values()))
    heads = np.random.default_rng(_SEED).binomial(times_of, 0.5, (_RESAMPLES, len(size)))
    sums = np.abs((2 * heads - times_of) @ size)
    found = abs(sum(gap * times for gap, times in gaps.items()))
    return float((1 + (sums >= found).sum()) / (1 + _RESAMPLES))
