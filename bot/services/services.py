"""All services together, as the handlers get them."""

from datetime import timedelta

from bot.clock import Clock
from bot.delivery.inbox import can_wait
from bot.monitoring.metrics import Metrics
from bot.prediction.live_models import LiveModels
from bot.prediction.queue import PredictionQueue
from bot.services.admin_log import AdminLog
from bot.services.champion import ChampionWatch
from bot.services.drift import DriftWatch
from bot.services.error_analysis import ErrorAnalysis
from bot.services.feedback import FeedbackService
from bot.services.flood import FloodLimit
from bot.services.joining import WAIT, Joiner
from bot.services.lock import retraining_lock
from bot.services.personal import Personal
from bot.services.retention import Retention
from bot.services.retraining import Retraining
from bot.services.retraining_turn import RetrainingTurn
from bot.services.reviewing import Reviewing
from bot.services.statistics import StatisticsService
from bot.services.training_process import TrainingProcess
from bot.services.turns import LatestTaps, Turns
from bot.services.versions import VersionService
from bot.services.wiping import Wiping
from bot.settings import Settings
from db.engine import Database

TAPS = 3  # for each review: a rating is corrected once or twice

EXPORT_PAUSE = timedelta(minutes=5)
"""Between two exports of one person: each reads all that is stored about them."""


class Services:
    def __init__(
        self,
        settings: Settings,
        database: Database,
        queue: PredictionQueue,
        live: LiveModels,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        write, read = database.write, database.read
        self.metrics = metrics
        self.clock = clock
        self.reviewing = Reviewing(write, read, queue, clock)
        self.feedback = FeedbackService(write, metrics, clock)
        self.wiping = Wiping(settings.database_url)
        self.retention = Retention(write, clock, settings.backups)
        self.personal = Personal(write, read, clock, self.wiping)
        self.joiner = Joiner(WAIT, can_wait)
        self.turns = Turns()
        self.messages = FloodLimit(settings.reviews_per_minute)
        # Apart, so that a flood of reviews leaves /forget within reach.
        self.commands = FloodLimit(settings.reviews_per_minute)
        self.taps = FloodLimit(TAPS * settings.reviews_per_minute)
        self.latest_taps = LatestTaps()
        self.exports = FloodLimit(1, EXPORT_PAUSE)
        self.erasures = FloodLimit(3, EXPORT_PAUSE)  # each has the database written anew
        self.admin_log = AdminLog(write, clock)
        self.versions = VersionService(live, self.admin_log, read)
        self.champion = ChampionWatch(live)
        self.retraining = Retraining(
            TrainingProcess(settings.models),
            self.versions,
            write,
            read,
            clock,
            RetrainingTurn(retraining_lock(database, settings.models), read),
            settings.retrain_min_feedback,
        )
        self.statistics = StatisticsService(read, clock)
        self.error_analysis = ErrorAnalysis(read, clock)
        self.drift = DriftWatch(write, read, live, clock)
