"""Do recent reviews still resemble those that the models learnt from?

The measure is the population stability index: with p the share of the reference in a bin and q the
share of the recent reviews, the sum of (q - p) ln(q / p) over all bins. By the convention of credit
scoring (N. Siddiqi, "Credit Risk Scorecards", 2006) up to 0.1 is negligible, above 0.25 is a shift.

Few reviews differ by chance alone: where nothing has shifted, the index divided by (1/n + 1/m) is
about chi-squared distributed, with one degree of freedom fewer than there are bins (B. Yurdakul,
"Statistical Properties of Population Stability Index", 2018). So it has to exceed chance as well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from classifier.data.tokenizer import FastTokenizer
from classifier.data.tokens import Tokens
from classifier.data.written_ratings import strip_ratings
from classifier.labels import SENTIMENTS
from classifier.serving.packed_config import ServedConfig

MOVED = 0.1
SHIFTED = 0.25
"""The index above which reviews differ a little from the reference, and above which clearly."""

BY_CHANCE = 0.001  # how often chance alone may pass for a shift
_QUANTILES = (0.2, 0.4, 0.6, 0.8)

Values = dict[str, NDArray[np.float64]]
"""The watched values by name, a number for each review.

`length` in characters, `unknown` the share of tokens that the vocabulary lacks, and for each
pooling the `…_sentiment` predicted (0 to 2) and the `…_confidence` in it.
"""


@dataclass(frozen=True)
class Shift:
    """One of the watched values, in the reference and now."""

    name: str
    index: float  # the population stability index
    by_chance: float  # exceeded with probability BY_CHANCE where nothing has shifted
    mean_then: float
    mean_now: float
    shares_then: tuple[float, ...]  # of the bins
    shares_now: tuple[float, ...]

    @property
    def is_shifted(self) -> bool:
        return self.index > max(SHIFTED, self.by_chance)

    @property
    def is_settled(self) -> bool:
        """Hardly any difference; an index between this and a shift is neither."""
        return self.index <= max(MOVED, self.by_chance)


def of_texts(contents: Sequence[str], tokens: Tokens, unknown_id: int | None) -> Values:
    """The watched values of the reviews as written, and of their tokens.

    A model's reference counts the tokens trained on, which are whole reviews where training draws
    windows from them; later reviews are cut to what the model reads. Only the longest differ.
    """
    values = {"length": np.array([len(content) for content in contents], dtype=np.float64)}
    if unknown_id is not None:
        unknown = np.add.reduceat(tokens.ids == unknown_id, tokens.starts[:-1], dtype=np.float64)
        words = tokens.lengths - tokens.before - tokens.after
        values["unknown"] = unknown / np.maximum(words, 1)
    return values


def of_answers(pooling: str, probabilities: NDArray[np.float64]) -> Values:
    """The watched values of a pooling's answers, from its probabilities [n, 3]."""
    return {
        f"{pooling}_sentiment": probabilities.argmax(axis=1).astype(np.float64),
        f"{pooling}_confidence": probabilities.max(axis=1),
    }


def of_reviews(
    version: Path, contents: Sequence[str], probabilities: Mapping[str, NDArray[np.float64]]
) -> Values:
    """All watched values of reviews that the version in this folder has answered.

    `probabilities` [n, 3] by pooling. Raises ClassifierError for a damaged version.
    """
    tokenizer = FastTokenizer(version / "cls")
    config = ServedConfig.read(version / "cls")
    seen = list(contents) if config.keep_ratings else [strip_ratings(text) for text in contents]
    tokens = tokenizer.tokens(seen, config.max_tokens, config.head_share)
    values = of_texts(contents, tokens, tokenizer.unknown_id)
    for pooling, shares in probabilities.items():
        values |= of_answers(pooling, shares)
    return values


def reference(values: Values) -> dict[str, Any]:
    """What later reviews are compared with, ready for JSON: by name edges, counts and the mean.

    A bin holds a fifth of the reviews, as far as equal values allow, or a sentiment. A value on an
    edge is in the bin below it.
    """
    bins: dict[str, Any] = {}
    for name, numbers in values.items():
        if name.endswith("_sentiment"):
            edges = np.arange(len(SENTIMENTS) - 1, dtype=np.float64)
        else:
            edges = np.unique(np.quantile(numbers, _QUANTILES))
        bins[name] = {
            "edges": edges.tolist(),
            "counts": _counts(numbers, edges).astype(int).tolist(),
            "mean": float(numbers.mean()),
        }
    return bins


def compare(bins: Mapping[str, Any], values: Values) -> list[Shift]:
    """Each watched value that is in both, against its `reference`."""
    return [_shift(name, bins[name], numbers) for name, numbers in values.items() if name in bins]


def _shift(name: str, then: Mapping[str, Any], numbers: NDArray[np.float64]) -> Shift:
    before = np.array(then["counts"], dtype=np.float64)
    now = _counts(numbers, np.array(then["edges"]))
    p, q = _smoothed(before), _smoothed(now)
    scale = 1 / before.sum() + 1 / now.sum()
    return Shift(
        name=name,
        index=float(((q - p) * np.log(q / p)).sum()),
        by_chance=float(scale * chi2.ppf(1 - BY_CHANCE, len(before) - 1)),
        mean_then=float(then["mean"]),
        mean_now=float(numbers.mean()),
        shares_then=tuple((before / before.sum()).tolist()),
        shares_now=tuple((now / now.sum()).tolist()),
    )


def _counts(numbers: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    bins = np.searchsorted(edges, numbers, side="left")
    return np.bincount(bins, minlength=len(edges) + 1).astype(np.float64)


def _smoothed(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shares, none of them 0, which would make the index infinite."""
    return np.asarray((counts + 0.5) / (counts.sum() + 0.5 * len(counts)))
