"""`python -m tests.bot.fixed_time_bot`: the bot, with models that take a fixed time a review.

So a machine with few cores shows what several processes do that have models of their own. In the
environment are the time, SECONDS_A_REVIEW, and how many reviews the models get at once at most. A
retraining goes on until it is ended.
"""

import os
import sys
import time
from pathlib import Path
from typing import NamedTuple, cast

from bot.prediction import live_models
from bot.prediction.queue import PredictionQueue, Predictions, Predicts


class FixedPrediction(NamedTuple):
    """As classifier.serving.predictor.Prediction, but torch takes seconds to import."""

    pooling: str
    version: str
    sentiment: str = "Good"
    sentiment_probabilities: tuple[float, ...] = (0.05, 0.08, 0.87)
    rating: int = 8
    rating_probabilities: tuple[float, ...] = (*[0.025] * 8, 0.75, 0.025, 0.025)
    rating_confidence: float = 0.8
    milliseconds: float = 1.5
    tokens: int = 100
    in_short: bool = False
    confidence: float = 0.87


class FixedTime:
    def __init__(self, folder: Path, seconds: float) -> None:
        self.version = folder.name
        self._seconds = seconds

    def predict(self, texts: list[str], _: int | None = None) -> list[Predictions]:
        time.sleep(self._seconds * len(texts))
        both = {pooling: FixedPrediction(pooling, self.version) for pooling in ("cls", "mean")}
        return [cast(Predictions, both) for _ in texts]


def load(folder: Path) -> Predicts:
    return FixedTime(folder, float(os.environ["SECONDS_A_REVIEW"]))


if __name__ == "__main__":
    live_models.load_models = load  # before bot.app, which imports it
    import bot.__main__ as start
    from bot.services.training_process import TrainingProcess

    hang = (sys.executable, str(Path(__file__).with_name("stand_in_training.py")), "hang", "none")
    TrainingProcess.__init__.__defaults__ = (hang,)
    if at_once := os.environ.get("REVIEWS_AT_ONCE"):
        defaults = PredictionQueue.__init__.__kwdefaults__
        assert defaults is not None
        defaults["max_batch"] = int(at_once)
    start._load = lambda champion: load(champion.path)
    sys.exit(start.main())
