"""Whether an explanation is true: what happens to the answer when the named sentence goes.

The deletion test of ERASER (DeYoung et al. 2020, https://arxiv.org/abs/1911.03429).
Comprehensiveness is how far the probability of the answered sentiment falls without the sentence
that is said to decide it, sufficiency how far it falls when nothing but that sentence is kept. A
sentence of like length, drawn at random from the same review, stands beside it.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.evaluation.resampling import mean_with_interval
from classifier.explanation.reasons import Predict, Pull, explained, probability_of, variants
from classifier.explanation.units import Units
from classifier.modeling.pooling import POOLINGS, Pooling

MEASURES = ("named", "random", "named_alone", "random_alone")
_LIKE_LENGTH = 3  # a random sentence is one of so many whose lengths are nearest


def faithfulness(
    predict: Predict, texts: Sequence[str], *, seed: int = 0, on_text: Callable[[], None]
) -> dict[str, Any]:
    """The figures of both models, ready for JSON, over the texts of two sentences or more.

    By model: the mean of each measure with its 95 % interval (bootstrap over reviews), and how many
    times as far the named sentence moves the probability as the random one does. `same_sentence` is
    the share of reviews in which both models name the same. Without any such text `reviews` is 0,
    and nothing else is told.
    """
    chance = np.random.default_rng(seed)
    falls: dict[Pooling, list[list[float]]] = {pooling: [] for pooling in POOLINGS}
    same: list[bool] = []
    for text in texts:
        units = Units.of(text)
        if units.kind == "sentences":
            named = _falls(predict, units, chance, falls)
            same.append(len(set(named)) == 1)
        on_text()
    if not same:
        return {"reviews": 0}
    figures: dict[str, Any] = {"reviews": len(same)}
    figures |= {pooling: _figures(np.array(found), seed) for pooling, found in falls.items()}
    return figures | {"same_sentence": mean_with_interval(np.array(same, float), seed)}


def _falls(
    predict: Predict,
    units: Units,
    chance: np.random.Generator,
    falls: dict[Pooling, list[list[float]]],
) -> Iterator[int]:
    """Add what the probability falls by to each model's; the unit that each of them names."""
    answered = predict(variants(units))
    explanation = explained(units, answered)
    chosen = []
    for reasons in explanation.by_model.values():
        named = max(reasons.pulls, key=lambda pull: pull.sentiment)
        chosen.append((named, _like(named, reasons.pulls, chance)))
    alone = iter(predict([pull.text for pair in chosen for pull in pair]))
    for pooling, (named, other) in zip(explanation.by_model, chosen, strict=True):
        answer = answered[0][pooling]
        before = probability_of(answer, answer.sentiment)
        kept = [before - probability_of(next(alone)[pooling], answer.sentiment) for _ in range(2)]
        falls[pooling].append([named.sentiment, other.sentiment, *kept])
    return (named.unit for named, _ in chosen)


def _like(named: Pull, pulls: Sequence[Pull], chance: np.random.Generator) -> Pull:
    """Another sentence, about as long."""
    others = sorted(
        (pull for pull in pulls if pull is not named),
        key=lambda pull: abs(len(pull.text) - len(named.text)),
    )
    return others[chance.integers(min(_LIKE_LENGTH, len(others)))]


def _figures(falls: NDArray[np.float64], seed: int) -> dict[str, Any]:
    """Of `falls` [reviews, measures]."""
    moved = np.abs(falls[:, :2]).mean(axis=0)
    return {
        **{name: mean_with_interval(falls[:, at], seed) for at, name in enumerate(MEASURES)},
        "times_as_far": float(moved[0] / moved[1]) if moved[1] else None,
    }
