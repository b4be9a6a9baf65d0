"""The champion pair, loaded once, answering lists of texts."""

import time
from dataclasses import dataclass
from pathlib import Path

import torch

from classifier.attention import attention_for, compute_dtype
from classifier.calibration import calibrated_probabilities
from classifier.grades import SENTIMENTS
from classifier.inference import predict_tokens
from classifier.model import PoolingClassifier, load_classifier
from classifier.outputs import Outputs, rating_confidence, rating_distribution, shown_rating
from classifier.pooling import POOLINGS, Pooling
from classifier.tokens import load_tokenizer, tokenize
from classifier.written_ratings import strip_ratings


@dataclass(frozen=True)
class Prediction:
    """What one model says of one review."""

    pooling: Pooling
    sentiment: str  # Bad, Neutral or Good
    sentiment_probabilities: tuple[float, ...]  # in that order, temperature-scaled
    rating: int | None  # the median of the distribution; None without a rating head
    rating_probabilities: tuple[float, ...] | None  # of the ratings 0..10
    rating_confidence: float | None  # probability of being within one point
    version: str
    milliseconds: float  # of this model for the whole call, divided by its reviews

    @property
    def confidence(self) -> float:
        """The probability of the sentiment shown."""
        return max(self.sentiment_probabilities)


class Predictor:
    """Both models of one version. Not for two threads at once: callers queue."""

    def __init__(self, folder: Path, device: torch.device) -> None:
        """Load the version in `folder`; raises ClassifierError where it is damaged."""
        self.version = folder.name
        self.models: dict[Pooling, PoolingClassifier] = {}
        for pooling in POOLINGS:
            self.models[pooling], self.dtype = load_model(folder / pooling, device)
        self.tokenizer = load_tokenizer(folder / "cls")

    def predict(self, texts: list[str]) -> list[dict[Pooling, Prediction]]:
        """Both models' predictions for each text, as sent: ratings written in it are stripped."""
        if not texts:
            return []
        config = self.models["cls"].config
        seen = texts if config.keep_ratings else [strip_ratings(text) for text in texts]
        tokens = tokenize(seen, self.tokenizer, config.max_tokens, config.head_share)
        answers: list[dict[Pooling, Prediction]] = [{} for _ in texts]
        for pooling, model in self.models.items():
            started = time.perf_counter()
            outputs = predict_tokens(model, tokens, self.dtype)
            milliseconds = (time.perf_counter() - started) * 1000 / len(texts)
            for row, answer in enumerate(answers):
                answer[pooling] = self._prediction(pooling, outputs.row(row), milliseconds)
        return answers

    def _prediction(self, pooling: Pooling, output: Outputs, milliseconds: float) -> Prediction:
        temperature = self.models[pooling].config.temperature
        sentiments = calibrated_probabilities(output.sentiment_logits, temperature)[0]
        rating = rating_probabilities = confidence = None
        if output.rating_logits is not None:
            ratings = rating_distribution(output)  # [1, 11]
            shown = shown_rating(ratings)
            rating, confidence = int(shown[0]), float(rating_confidence(ratings, shown)[0])
            rating_probabilities = tuple(ratings[0].tolist())
        return Prediction(
            pooling=pooling,
            sentiment=SENTIMENTS[int(sentiments.argmax())],
            sentiment_probabilities=tuple(sentiments.tolist()),
            rating=rating,
            rating_probabilities=rating_probabilities,
            rating_confidence=confidence,
            version=self.version,
            milliseconds=milliseconds,
        )


def load_model(folder: Path, device: torch.device) -> tuple[PoolingClassifier, torch.dtype]:
    """The model in `folder`, ready to predict, and the number format to predict in.

    Raises ClassifierError where there is none that can be loaded.
    """
    dtype = compute_dtype(device)
    attention = attention_for(device, dtype)
    model = load_classifier(folder, with_heads=True, attn_implementation=attention)
    model.to(device)  # type: ignore[arg-type]
    model.eval()
    return model, dtype
