"""Whether an exported model answers what the model answers, and how well an int8 one does."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from classifier.data.tokens import Tokens
from classifier.errors import ClassifierError
from classifier.evaluation.figures import METRICS, POOLING_TITLES, figure
from classifier.modeling.classifier import PoolingClassifier
from classifier.modeling.outputs import Outputs, concatenated


@dataclass(frozen=True)
class Bounds:
    """What an export must keep to; one that does not is refused."""

    float32_logit: float = 1e-4
    """How far a logit of a float32 export may be from the model's."""
    accuracy_fall: float = 0.01
    chance_reviews: int = 2
    """How far the accuracy of an int8 export may fall on the version's holdout: by a share, or,
    where the reviews are few, by so many of them."""
    mae_rise: float = 0.05  # points of the rating


BOUNDS = Bounds()


def original_outputs(model: PoolingClassifier, tokens: Tokens) -> Outputs:
    """The logits of the model itself in float32, of every row of `tokens` in their order.

    Each row by itself and without padding: a difference shows what an export makes of padding too.
    """
    found = []
    with torch.inference_mode():
        for row in range(len(tokens)):
            output = model(*tokens.batch(np.array([row]), int(tokens.lengths[row])))
            sentiment, rating = output.sentiment_logits, output.rating_logits
            ratings = None if rating is None else rating.float().numpy()
            found.append(Outputs(sentiment.float().numpy(), ratings))
    return concatenated(found)


def largest_difference(first: Outputs, second: Outputs) -> float:
    """Of any logit of two models' outputs for the same rows; infinite where one is no number."""
    pairs = [(first.sentiment_logits, second.sentiment_logits)]
    if first.rating_logits is not None and second.rating_logits is not None:
        pairs.append((first.rating_logits, second.rating_logits))
    largest = max(float(np.abs(one - other).max()) for one, other in pairs)
    return largest if np.isfinite(largest) else float("inf")


def check_float32(pooling: str, difference: float) -> None:
    """ClassifierError where the float32 export of a model differs by more than the bound."""
    if not difference <= BOUNDS.float32_logit:
        raise ClassifierError(
            f"The export with {POOLING_TITLES[pooling]} is refused: a logit differs from the "
            f"model's by {difference:.1e}, more than {BOUNDS.float32_logit:.0e}."
        )


def check_int8(pooling: str, original: dict[str, Any], int8: dict[str, Any]) -> None:
    """ClassifierError where an int8 export is worse than the model by more than the bounds.

    Both have figures as `metrics.evaluate` gives them, on the same rows.
    """
    fall = max(BOUNDS.accuracy_fall, BOUNDS.chance_reviews / original["rows"])
    worse_by = {"accuracy": (original["accuracy"] - int8["accuracy"], fall)}
    if original.get("rating_mae") is not None:
        worse_by["rating_mae"] = (int8["rating_mae"] - original["rating_mae"], BOUNDS.mae_rise)
    for name, (change, limit) in worse_by.items():
        if change > limit + 1e-9:
            raise ClassifierError(
                f"The int8 export with {POOLING_TITLES[pooling]} is refused: its "
                f"{METRICS[name].name} is {figure(int8[name])}, the model's "
                f"{figure(original[name])}; without --int8 float32 alone is written."
            )
