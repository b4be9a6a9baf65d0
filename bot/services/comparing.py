"""Which pooling is better on live reviews, and whether that is more than chance.

What is drawn again and again are users, each with all their answers and both models' predictions:
one user's reviews are more alike than those of two. (Field and Welsh, "Bootstrapping clustered
data", Journal of the Royal Statistical Society B 69(3), 2007.) Users with the same sums are one
group, so a resample is one multinomial draw of the groups' counts, quick for any number of users.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np
from scipy.stats import binomtest

from bot.services.comparison import Comparison, Difference
from db.pairs import PairStatistics, UserSums

_RESAMPLES = 4000
_SEED = 0  # the same answers make the same message


def compare(pair: PairStatistics) -> Comparison:
    return Comparison(pair.answered, sum(pair.users.values()), _accuracy(pair), _mae(pair.users))


def _accuracy(pair: PairStatistics) -> Difference | None:
    """p is exact McNemar's (Psychometrika 12, 1947)."""
    if not pair.answered:
        return None
    discordant = pair.only_mean_right + pair.only_cls_right
    p = float(binomtest(pair.only_mean_right, discordant).pvalue) if discordant else 1.0
    return _difference(_grouped((user.answers, user.right, n) for user, n in pair.users.items()), p)


def _mae(users: Mapping[UserSums, int]) -> Difference | None:
    groups = _grouped((user.rated, user.error, n) for user, n in users.items() if user.rated)
    return _difference(groups, _swapped(groups)) if groups else None


_Groups = Mapping[tuple[int, int], int]
"""So many reviews of a user, and what mean has more than CLS on them, summed → how many users."""


def _grouped(sums: Iterable[tuple[int, int, int]]) -> _Groups:
    groups: Counter[tuple[int, int]] = Counter()
    for reviews, gap, users in sums:
        groups[reviews, gap] += users
    # What is drawn hangs on the order, and a database may give it the users in any.
    return dict(sorted(groups.items()))


def _difference(groups: _Groups, p: float) -> Difference:
    (reviews, gap), users = np.array(list(groups)).T, np.array(list(groups.values()))
    count = users.sum()
    drawn = np.random.default_rng(_SEED).multinomial(count, users / count, _RESAMPLES)
    low, high = np.percentile((drawn @ gap) / (drawn @ reviews), [2.5, 97.5])
    return Difference(float(users @ gap / (users @ reviews)), float(low), float(high), p)


def _swapped(groups: _Groups) -> float:
    """How often the sum is as large when a coin decides, for each user, whose answers are whose.

    Noreen, "Computer-Intensive Methods for Testing Hypotheses", 1989.
    """
    by_size: Counter[int] = Counter()
    for (_, gap), users in groups.items():
        by_size[abs(gap)] += users
    size, times_of = np.array(list(by_size)), np.array(list(by_size.values()))
    heads = np.random.default_rng(_SEED).binomial(times_of, 0.5, (_RESAMPLES, len(size)))
    sums = np.abs((2 * heads - times_of) @ size)
    found = abs(sum(gap * users for (_, gap), users in groups.items()))
    return float((1 + (sums >= found).sum()) / (1 + _RESAMPLES))
