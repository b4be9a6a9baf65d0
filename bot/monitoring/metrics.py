"""What the bot counts and times, for Prometheus."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from telegram import Update

from bot.delivery.raw_updates import ALLOWED_UPDATES
from bot.monitoring.health import Health
from bot.prediction.queue import Predictions

_PREDICTION_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
_ANSWER_SECONDS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)

Metric = TypeVar("Metric", Counter, Gauge, Histogram)


class Metrics:
    """Of one bot, in a registry of its own; counters begin at 0 when the bot starts."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._updates = self._add(
            Counter, "updates", "Updates handled, counted again for each retry.", "kind"
        )
        self._unreadable = self._add(
            Counter,
            "updates_unreadable",
            "Updates that no handler can use.",
            "kind",
        )
        self._predictions = self._add(
            Counter, "predictions", "Predictions made.", "pooling", "sentiment"
        )
        self._in_short = self._add(
            Counter, "reviews_in_short", "Reviews not read to the end, because others waited."
        )
        self._prediction_seconds = self._add(
            partial(Histogram, buckets=_PREDICTION_SECONDS),
            "prediction_seconds",
            "Time of one model for one review: its share of the batch.",
            "pooling",
        )
        self._answer_seconds = self._add(
            partial(Histogram, buckets=_ANSWER_SECONDS),
            "answer_seconds",
            "From the start of handling a review until its answer is sent.",
        )
        self._feedback = self._add(
            Counter, "feedback", "Reviews rated by their users, asked by the bot or not.", "asked"
        )
        self._waiting_reviews = self._add(Gauge, "waiting_reviews", "Reviews not yet in a batch.")
        self._waiting_updates = self._add(Gauge, "waiting_updates", "Updates not yet handled.")
        self._poll_age = self._add(
            Gauge,
            "last_poll_age_seconds",
            "Since the last good poll; NaN by webhook.",
        )
        self._backup_age = self._add(
            Gauge, "backup_age_seconds", "Since the newest backup; NaN without any."
        )
        self._healthy = self._add(Gauge, "healthy", "1 if /healthz says so.")
        self._training_runs = self._add(Gauge, "training_runs", "Retrainings ever.", "status")
        self._champion = self._add(
            Gauge, "champion_answers", "1 unless the champion can't be taken and another answers."
        )
        self._model = self._add(Gauge, "model_info", "The version that predicts.", "version")

    def updated(self, update: Update) -> None:
        """Count an update that is about to be handled."""
        kind = next((kind for kind in ALLOWED_UPDATES if getattr(update, kind)), "other")
        self._updates.labels(kind).inc()

    def unreadable(self, kind: str) -> None:
        """Count an update that no handler can use."""
        self._unreadable.labels(kind).inc()

    def predicted(self, answers: list[Predictions]) -> None:
        """Count a batch."""
        for answer in answers:
            self._in_short.inc(next(iter(answer.values())).in_short)
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
        """Set the gauges, at the time of a scrape."""
        self._waiting_reviews.set(health.waiting_reviews)
        self._waiting_updates.set(health.waiting_updates)
        age = health.last_poll_seconds
        self._poll_age.set(float("nan") if age is None else age)
        age = health.newest_backup_seconds
        self._backup_age.set(float("nan") if age is None else age)
        self._healthy.set(health.is_well)
        self._training_runs.clear()
        for status, runs in health.training_runs.items():
            self._training_runs.labels(status).set(runs)
        self._champion.set(not health.warnings)
        self._model.clear()  # of an earlier version
        if health.model:
            self._model.labels(health.model).set(1)

    def _add(self, kind: Callable[..., Metric], name: str, says: str, *labels: str) -> Metric:
        return kind(f"kinorate_{name}", says, labels, registry=self.registry)
