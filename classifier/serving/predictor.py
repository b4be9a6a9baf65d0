"""Both models of a version, loaded once, predicting lists of texts."""

import time
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from classifier.data.tokenizer import FastTokenizer
from classifier.data.tokens import Tokens
from classifier.data.written_ratings import strip_ratings
from classifier.errors import ClassifierError
from classifier.labels import SENTIMENTS
from classifier.modeling.device import compute_dtype
from classifier.modeling.outputs import (
    Outputs,
    concatenated,
    rating_confidence,
    rating_distribution,
    shown_rating,
)
from classifier.modeling.pooling import POOLINGS, Pooling
from classifier.modeling.temperature import calibrated_probabilities
from classifier.serving.model import Model, batches
from classifier.serving.packed_config import can_pack, refused, written_config
from classifier.serving.packed_model import PackedModel

if TYPE_CHECKING:  # a prediction does without it, and starts sooner
    from classifier.modeling.classifier import PoolingClassifier


@dataclass(frozen=True)
class Prediction:
    """One model's prediction for one review."""

    pooling: Pooling
    sentiment: str  # Bad, Neutral or Good
    sentiment_probabilities: tuple[float, ...]  # in that order, temperature-scaled
    rating: int | None  # the median of the distribution; None without a rating head
    rating_probabilities: tuple[float, ...] | None  # of the ratings 0..10
    rating_confidence: float | None  # probability of being within one point
    version: str
    milliseconds: float  # of this model for the whole call, divided by its reviews
    tokens: int  # that were read of the review
    in_short: bool = False  # fewer than the model would have read, because it was told to

    @property
    def confidence(self) -> float:
        """The probability of the sentiment shown."""
        return max(self.sentiment_probabilities)


class Predictor:
    """Both models of one version. Not for two threads at once: callers queue."""

    def __init__(self, folder: Path, device: torch.device) -> None:
        """Load the version in `folder`; raises ClassifierError where it is damaged."""
        self.version = folder.name
        self.models = {pooling: load_model(folder / pooling, device) for pooling in POOLINGS}
        for pooling, model in self.models.items():
            if model.config.pooling != pooling:
                raise refused(folder / pooling / "config.json", f"its pooling is not {pooling}")
        self._tokenizer = FastTokenizer(folder / "cls")
        self._threads = _threads()

    def seen(self, text: str) -> str:
        """What the models read of a text: without the ratings written in it, unless they do."""
        return text if self.models["cls"].config.keep_ratings else strip_ratings(text)

    def predict(
        self, texts: list[str], most_tokens: int | None = None
    ) -> list[dict[Pooling, Prediction]]:
        """Both models' predictions for each text, as sent: ratings written in it are stripped.

        Of each text the models read as many tokens as they learnt to, or `most_tokens` if that is
        fewer: both the same ones.
        """
        if not texts:
            return []
        config = self.models["cls"].config
        whole = self._tokenizer.tokens(
            list(map(self.seen, texts)), config.max_tokens, config.head_share
        )
        tokens = whole
        if most_tokens is not None and most_tokens < config.max_tokens:
            tokens = whole.shortened(most_tokens, config.head_share)
        timed = self._timed(tokens)
        of_each = zip(tokens.lengths.tolist(), whole.lengths.tolist(), strict=True)
        return [
            {
                pooling: self._prediction(
                    pooling,
                    outputs.row(row),
                    milliseconds=milliseconds / len(texts),
                    tokens=read,
                    in_short=read < readable,
                )
                for pooling, (outputs, milliseconds) in timed.items()
            }
            for row, (read, readable) in enumerate(of_each)
        ]

    def _timed(self, tokens: Tokens) -> dict[Pooling, tuple[Outputs, float]]:
        """Each model's outputs, and the milliseconds that it took beside the other."""
        parts = list(batches(tokens))
        models = _side_by_side(self._threads, len(parts) * len(self.models))
        running = {
            pooling: [models.submit(_timed, model, tokens, rows) for rows in parts]
            for pooling, model in self.models.items()
        }
        timed: dict[Pooling, tuple[Outputs, float]] = {}
        for pooling, results in running.items():
            outputs, milliseconds = zip(*(result.result() for result in results), strict=True)
            timed[pooling] = concatenated(list(outputs)), sum(milliseconds)
        return timed

    def _prediction(
        self, pooling: Pooling, output: Outputs, *, milliseconds: float, tokens: int, in_short: bool
    ) -> Prediction:
        temperature = self.models[pooling].config.temperature
        for logits in (output.sentiment_logits, output.rating_logits):
            if logits is not None and not np.isfinite(logits).all():
                raise ClassifierError(
                    f"The {pooling} model of {self.version} answers with something else than "
                    "numbers: its weights are damaged."
                )
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
            tokens=tokens,
            in_short=in_short,
        )


def load_model(folder: Path, device: torch.device) -> Model:
    """The model in `folder`, ready to predict in the number format that the device is good at.

    Raises ClassifierError where there is none that can be loaded.
    """
    if can_pack(written_config(folder / "config.json")):
        return PackedModel.load(folder, device, compute_dtype(device))
    from classifier.serving.plain_model import PlainModel  # transformers takes seconds to import

    return PlainModel.load(folder, device, compute_dtype(device))


def served(model: "PoolingClassifier") -> Model:
    """A copy of a trained model, as `load_model` will give it once it is saved."""
    if can_pack(model.config.to_dict()):
        return PackedModel.of(model)
    from classifier.serving.plain_model import PlainModel

    return PlainModel.of(model)


def _timed(model: Model, tokens: Tokens, rows: range) -> tuple[Outputs, float]:
    started = time.perf_counter()
    outputs = model.predict_batch(tokens, rows)
    return outputs, (time.perf_counter() - started) * 1000


@cache
def _threads() -> int:
    """How many torch may use; asked before workers with fewer, of which it would tell later."""
    return torch.get_num_threads()


def _side_by_side(threads: int, parts: int) -> Executor:
    """Where so many parts of the work are done, with all of the threads that torch may use.

    Few parts, such as both models' of one review, share the threads of their products; many have
    one each, because the threads of a product wait for each other at its end, and two parts don't.
    Measured on two cores: 100 reviews a second of 60 at once, 78 to 95 with the models in turn on
    both. One review by itself would take 11 ms in turn, 13 so.
    """
    return _workers(threads, threads if parts >= threads else len(POOLINGS))


@cache
def _workers(threads: int, workers: int) -> Executor:
    # Made once: a change of a thread's number makes torch compile its products anew.
    workers = max(workers, len(POOLINGS))
    each = max(1, threads // workers)
    return ThreadPoolExecutor(workers, "model", torch.set_num_threads, (each,))
