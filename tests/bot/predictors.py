"""Predictors that need no models."""

import threading
import time
from dataclasses import replace

from classifier.modeling.pooling import POOLINGS, Pooling
from classifier.serving.predictor import Prediction


def prediction(pooling: Pooling, rating: int = 8, version: str = "invented") -> Prediction:
    """One that is sure of a rating from 7 on, and so of Good."""
    return Prediction(
        pooling=pooling,
        sentiment="Good",
        sentiment_probabilities=(0.05, 0.08, 0.87),
        rating=rating,
        rating_probabilities=tuple(0.75 if each == rating else 0.025 for each in range(11)),
        rating_confidence=0.8,
        version=version,
        milliseconds=1.5,
        tokens=100,
    )


CHARACTERS = 5  # that the reader below takes for a token


class Reader:
    """Reads a token in a fixed time, by a clock of its own; at most `longest` of a text.

    `batches` are the texts, how much was to be read of each, and when that was done.
    """

    version = "reader"

    def __init__(self, seconds_a_token: float, longest: int = 1024) -> None:
        self.now = 0.0
        self.batches: list[tuple[list[str], int | None, float]] = []
        self.gate = threading.Event()
        self.gate.set()
        self._seconds, self._longest = seconds_a_token, longest

    def clock(self) -> float:
        return self.now

    def predict(
        self, texts: list[str], most_tokens: int | None = None
    ) -> list[dict[Pooling, Prediction]]:
        self.gate.wait(timeout=30)
        most = min(self._longest, most_tokens or self._longest)
        reader, answers = prediction("cls", version=self.version), []
        for text in texts:
            tokens = min(len(text) // CHARACTERS, self._longest)
            read = replace(reader, tokens=min(tokens, most), in_short=tokens > most)
            answers.append({each: replace(read, pooling=each) for each in POOLINGS})
            self.now += self._seconds * read.tokens
        self.batches.append((texts, most_tokens, self.now))
        return answers


class InventedPredictor:
    """Says the same of every text, and remembers the batches it got.

    It takes `seconds` for each batch; cleared, `gate` holds it until it is set.
    """

    version = "invented"

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.batches: list[list[str]] = []
        self.gate = threading.Event()
        self.gate.set()

    def predict(
        self, texts: list[str], most_tokens: int | None = None
    ) -> list[dict[Pooling, Prediction]]:
        self.gate.wait(timeout=30)
        time.sleep(self.seconds)
        self.batches.append(texts)
        return [{pooling: prediction(pooling) for pooling in POOLINGS} for _ in texts]
