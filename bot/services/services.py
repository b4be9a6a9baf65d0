"""All services together, as the handlers get them."""

from dataclasses import dataclass

from bot.clock import Clock
from bot.delivery.inbox import can_wait
from bot.monitoring.metrics import Metrics
from bot.prediction.live_models import LiveModels
from bot.prediction.queue import PredictionQueue
from bot.services.admin_log import AdminLog
from bot.services.error_analysis import ErrorAnalysis
from bot.services.feedback import FeedbackService
from bot.services.flood import FloodLimit
from bot.services.joining import Joiner
from bot.services.personal import Personal
from bot.services.retraining import Retraining
from bot.services.reviewing import Reviewing
from bot.services.statistics import StatisticsService
from bot.services.training_process import TrainingProcess
from bot.services.turns import Turns
from bot.services.versions import VersionService
from bot.settings import Settings
from db.engine import Sessions

JOIN_WAIT = 1.2
"""Seconds within which the next part of a long text follows."""


@dataclass(frozen=True)
class Services:
    reviewing: Reviewing
    feedback: FeedbackService
    personal: Personal
    joiner: Joiner
    turns: Turns
    messages: FloodLimit
    commands: FloodLimit  # apart, so that a flood of reviews leaves /forget within reach
    admin_log: AdminLog
    versions: VersionService
    retraining: Retraining
    statistics: StatisticsService
    error_analysis: ErrorAnalysis
    metrics: Metrics


def build_services(
    settings: Settings,
    write: Sessions,
    read: Sessions,
    queue: PredictionQueue,
    live: LiveModels,
    metrics: Metrics,
    clock: Clock,
) -> Services:
    admin_log = AdminLog(write, clock)
    versions = VersionService(live, admin_log, read)
    training = TrainingProcess(settings.models)
    return Services(
        reviewing=Reviewing(write, read, queue, clock),
        feedback=FeedbackService(write, metrics, clock),
        personal=Personal(write, read, clock),
        joiner=Joiner(JOIN_WAIT, can_wait),
        turns=Turns(),
        messages=FloodLimit(settings.reviews_per_minute),
        commands=FloodLimit(settings.reviews_per_minute),
        admin_log=admin_log,
        versions=versions,
        retraining=Retraining(
            training, versions, write, read, clock, settings.retrain_min_feedback
        ),
        statistics=StatisticsService(read, clock),
        error_analysis=ErrorAnalysis(read, clock),
        metrics=metrics,
    )
