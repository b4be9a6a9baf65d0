"""Scores: of which reviews a rating would teach the models most, as far as they can tell.

Each gives a number for every review sent: the highest are asked for first, and of equal ones the
one that was sent first.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifier.modeling.outputs import Outputs, rating_distribution
from classifier.modeling.temperature import calibrated_probabilities

_WORD = re.compile(r"\w+")
_KNOWN = 3  # reviews that a word must stand in to be known
_LIKE_LENGTH = 1.2  # times as long, or as short, is of like length

Scores = NDArray[np.float64]  # [reviews sent]


@dataclass(frozen=True)
class Sent:
    """Reviews that users sent, and what the models answer that have learned from others."""

    texts: list[str]
    outputs: Mapping[str, Outputs]  # by pooling
    learned: list[str]  # the others' texts


def at_random(sent: Sent) -> Scores:
    """All alike."""
    return np.zeros(len(sent.texts))


def disagreement(sent: Sent) -> Scores:
    """How far apart the models are: Jensen-Shannon divergence, of sentiments and of ratings.

    Query by committee, as in Settles, "Active Learning Literature Survey", 2009, section 3.2.
    """
    scores = _divergence([_sentiments(outputs) for outputs in sent.outputs.values()])
    rated = [out for out in sent.outputs.values() if out.rating_logits is not None]
    return scores + (_divergence([rating_distribution(out) for out in rated]) if rated else 0.0)


def small_margin(sent: Sent) -> Scores:
    """How near the second sentiment is to the first, as the mean over both models.

    Scheffer, Decomain and Wrobel, "Active Hidden Markov Models for Information Extraction", 2001.
    """
    ordered = [np.sort(_sentiments(outputs), axis=1) for outputs in sent.outputs.values()]
    margins: Scores = np.mean([each[:, -1] - each[:, -2] for each in ordered], axis=0)
    return 1 - margins


def unknown_words(sent: Sent) -> Scores:
    """The share of a review's words that stand in fewer than three of the reviews learned from."""
    reviews = Counter(word for text in sent.learned for word in set(_words(text)))
    return np.array(
        [
            np.mean([reviews[word] < _KNOWN for word in _words(text)] or [False])
            for text in sent.texts
        ]
    )


def rare_length(sent: Sent) -> Scores:
    """The share of the reviews learned from that are not of like length."""
    theirs, known = (np.log([len(text) for text in texts]) for texts in (sent.texts, sent.learned))
    unlike = np.abs(theirs[:, None] - known[None]) > np.log(_LIKE_LENGTH)
    return np.asarray(unlike.mean(axis=1))


SCORES: dict[str, Callable[[Sent], Scores]] = {
    "random": at_random,
    "models disagree": disagreement,
    "small margin": small_margin,
    "unknown words": unknown_words,
    "rare length": rare_length,
}


BY_BOTH = frozenset({"models disagree"})  # the others can go by one model alone


def chosen(scores: Scores, count: int) -> list[int]:
    """The places of the `count` reviews to ask for."""
    places: list[int] = np.argsort(-scores, kind="stable")[:count].tolist()
    return places


def _sentiments(outputs: Outputs) -> NDArray[np.float64]:
    return calibrated_probabilities(outputs.sentiment_logits)


def _divergence(distributions: list[NDArray[np.float64]]) -> Scores:
    """Jensen-Shannon divergence [n], in nats, of distributions [n, classes]."""

    def entropy(shares: NDArray[np.float64]) -> Scores:
        return np.asarray(-(shares * np.log(shares.clip(1e-12))).sum(axis=1))

    middle = np.mean(distributions, axis=0)
    return np.asarray(entropy(middle) - np.mean(list(map(entropy, distributions)), axis=0))


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())
