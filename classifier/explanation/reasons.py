"""How far each piece of a review pulls an answer: the answer with it, less the answer without it.

Leave-one-out, as in Robnik-Šikonja and Kononenko 2008 (https://doi.org/10.1109/TKDE.2007.190734):
all variants of a review are predicted as reviews are, by the models that answer.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from classifier.explanation.units import Units
from classifier.labels import RATINGS, SENTIMENTS

if TYPE_CHECKING:  # torch takes seconds to import
    from classifier.modeling.pooling import Pooling
    from classifier.serving.predictor import Prediction

Predict: TypeAlias = "Callable[[list[str]], list[dict[Pooling, Prediction]]]"
"""Both models' predictions of each text, as `Predictor.predict`."""

MOST_SHOWN = 2  # pieces that pull up, and as many that pull down
LEAST_SHOWN = 0.05  # points of the rating: less is nothing that a person could see


@dataclass(frozen=True)
class Pull:
    """What one piece of the review does to the answer of one model."""

    unit: int
    text: str
    rating: float  # points by which the expected rating is higher with it
    sentiment: (
        float  # by how much the answered sentiment (or the one asked about) is likelier with it
    )


@dataclass(frozen=True)
class Reasons:
    """The pieces that pull one model's answer most, and the one its sentiment rests on."""

    pulls: tuple[Pull, ...]  # of every piece, in the text's order
    up: tuple[Pull, ...]  # the strongest first
    down: tuple[Pull, ...]
    decisive: Pull | None  # None where no piece makes the sentiment more probable

    @property
    def shown(self) -> tuple[Pull, ...]:
        """What a person is shown: from what pulls up most to what pulls down most."""
        return (*self.up, *reversed(self.down))

    @property
    def rests_on(self) -> Pull | None:
        """What the sentiment rests on, where that is not among what is shown."""
        return None if self.decisive in self.shown else self.decisive


@dataclass(frozen=True)
class Explanation:
    """The reasons of both models for one review."""

    units: Units
    by_model: "dict[Pooling, Reasons]"

    @property
    def differ(self) -> bool:
        """Whether the models' sentiments rest on different pieces."""
        decisive = [reasons.decisive for reasons in self.by_model.values()]
        return None not in decisive and len({pull.unit for pull in decisive if pull}) > 1


def variants(units: Units) -> list[str]:
    """What has to be predicted: the text itself, then the text without each of its units."""
    return [units.text, *(units.without(unit) for unit in range(len(units.spans)))]


def explanation_of(predict: Predict, text: str) -> Explanation:
    """The reasons for what is predicted of `text`."""
    units = Units.of(text)
    return explained(units, predict(variants(units)))


def explained(units: Units, answered: "Sequence[dict[Pooling, Prediction]]") -> Explanation:
    """The reasons, from the predictions of the `variants`, in their order."""
    by_model = {
        pooling: _reasons(_pulls(units, [each[pooling] for each in answered], answer.sentiment))
        for pooling, answer in answered[0].items()
    }
    return Explanation(units, by_model)


def against(predict: Predict, text: str, sentiment: str) -> "dict[Pooling, str | None]":
    """The piece of `text` without which each model finds `sentiment` likeliest; None: no such."""
    units = Units.of(text)
    answered = predict(variants(units))
    found: dict[Pooling, str | None] = {}
    for pooling in answered[0]:
        pulls = _pulls(units, [each[pooling] for each in answered], sentiment)
        most = min(pulls, key=lambda pull: pull.sentiment, default=None)
        found[pooling] = most.text if most is not None and most.sentiment < 0 else None
    return found


def expected_rating(prediction: "Prediction") -> float:
    """The mean of the rating's distribution, which moves where the median stays.

    For a model without a rating head the mean of 0, 5 and 10 by the sentiments' probabilities.
    """
    if prediction.rating_probabilities is None:
        return float(np.dot(prediction.sentiment_probabilities, (0, 5, 10)))
    return float(np.dot(prediction.rating_probabilities, RATINGS))


def probability_of(prediction: "Prediction", sentiment: str) -> float:
    """The probability of that sentiment."""
    return prediction.sentiment_probabilities[SENTIMENTS.index(sentiment)]


def _pulls(units: Units, answers: "Sequence[Prediction]", sentiment: str) -> list[Pull]:
    """What each unit does to one model's rating, and to the probability of that sentiment.

    `answers` are of the `variants`.
    """
    whole, *without = answers
    return [
        Pull(
            unit,
            units.alone(unit),
            expected_rating(whole) - expected_rating(other),
            probability_of(whole, sentiment) - probability_of(other, sentiment),
        )
        for unit, other in enumerate(without)
    ]


def _reasons(pulls: list[Pull]) -> Reasons:
    felt = [pull for pull in pulls if abs(pull.rating) >= LEAST_SHOWN]
    by_rating = sorted(felt, key=lambda pull: pull.rating)
    up = [pull for pull in reversed(by_rating) if pull.rating > 0][:MOST_SHOWN]
    down = [pull for pull in by_rating if pull.rating < 0][:MOST_SHOWN]
    decisive = max(pulls, key=lambda pull: pull.sentiment, default=None)
    if decisive is not None and decisive.sentiment <= 0:
        decisive = None
    return Reasons(tuple(pulls), tuple(up), tuple(down), decisive)
