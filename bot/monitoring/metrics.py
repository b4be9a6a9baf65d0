"""What the bot counts and times, for Prometheus."""

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from telegram import Update

from bot.monitoring.health import Health
from bot.prediction.queue import Predicts

if TYPE_CHECKING:  # torch takes seconds to import
    from bot.prediction.queue import Predictions

_KINDS = ("message", "edited_message", "callback_query", "my_chat_member")
_PREDICTION_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
_ANSWER_SECONDS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)


class Metrics:
    """One bot's, in a registry of its own; counters begin at 0 when the bot starts."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._updates = Counter(
            "kinorate_updates",
            "Updates handled, each time that one is tried again included.",
            ["kind"],
            registry=self.registry,
        )
        self._predictions = Counter(
            "kinorate_predictions",
            "Predictions made.",
            ["pooling", "sentiment"],
            registry=self.registry,
        )
        self._prediction_seconds = Histogram(
            "kinorate_prediction_seconds",
            "What one model took for one review, as its share of the batch.",
            ["pooling"],
            registry=self.registry,
            buckets=_PREDICTION_SECONDS,
        )
        self._answer_seconds = Histogram(
            "kinorate_answer_seconds",
            "From taking up a review to its answer being sent.",
            registry=self.registry,
            buckets=_ANSWER_SECONDS,
        )
        self._feedback = Counter(
            "kinorate_feedback",
            "Reviews rated by their users, in so many words asked to or not.",
            ["asked"],
            registry=self.registry,
        )
        self._waiting_reviews = self._gauge("waiting_reviews", "Reviews that no batch has yet.")
        self._waiting_updates = self._gauge("waiting_updates", "Updates that no handler has yet.")
        self._poll_age = self._gauge(
            "last_poll_age_seconds", "Since the last poll ended, well or not; NaN by webhook."
        )
        self._healthy = self._gauge("healthy", "1 if /healthz says so.")
        self._training_runs = self._gauge("training_runs", "Retrainings ever.", ["status"])
        self._model = self._gauge("model_info", "The version that predicts.", ["version"])

    def updated(self, update: Update) -> None:
        """Count an update that is about to be handled."""
        kind = next((kind for kind in _KINDS if getattr(update, kind)), "other")
        self._updates.labels(kind).inc()

    def predicted(self, answers: "list[Predictions]") -> None:
        """Count a batch; may be called by any thread."""
        for answer in answers:
            for pooling, prediction in answer.items():
                self._predictions.labels(pooling, prediction.sentiment).inc()
                self._prediction_seconds.labels(pooling).observe(prediction.milliseconds / 1000)

    def answered(self, seconds: float) -> None:
        """Count a review whose answer is sent."""
        self._answer_seconds.observe(seconds)

    def rated(self, *, asked: bool) -> None:
        """Count a review's first rating."""
        self._feedback.labels("yes" if asked else "no").inc()

    def show(self, health: Health) -> None:
        """Set what is not counted but looked at, at the time of a scrape."""
        self._waiting_reviews.set(health.waiting_reviews)
        self._waiting_updates.set(health.waiting_updates)
        age = health.last_poll_seconds
        self._poll_age.set(float("nan") if age is None else age)
        self._healthy.set(health.is_well)
        self._training_runs.clear()
        for status, runs in health.training_runs.items():
            self._training_runs.labels(status).set(runs)
        self._model.clear()  # of an earlier version
        self._model.labels(health.model).set(1)

    def _gauge(self, name: str, says: str, labels: list[str] | None = None) -> Gauge:
        return Gauge(f"kinorate_{name}", says, labels or [], registry=self.registry)


class CountedPredictor:
    """A predictor whose predictions are counted."""

    def __init__(self, predictor: Predicts, metrics: Metrics) -> None:
        self._predictor = predictor
        self._metrics = metrics

    @property
    def version(self) -> str:
        return self._predictor.version

    def predict(self, texts: list[str]) -> "list[Predictions]":
        answers = self._predictor.predict(texts)
        self._metrics.predicted(answers)
        return answers
