"""All services together, as the handlers get them."""

from datetime import timedelta

from bot.delivery.inbox import Inbox
from bot.delivery.processor import can_wait
from bot.monitoring.metrics import Metrics
from bot.prediction.live_models import LiveModels
from bot.prediction.queue import PredictionQueue
from bot.services.admin_log import AdminLog
from bot.services.backing_up import BackingUp
from bot.services.champion import ChampionWatch, Others
from bot.services.drift import DriftWatch
from bot.services.error_analysis import ErrorAnalysis
from bot.services.explaining import Explaining
from bot.services.feedback import FeedbackService
from bot.services.first_training import FirstTraining
from bot.services.flood import FloodLimit, SenderBook
from bot.services.joining import WAIT, Joiner
from bot.services.judging import Judging
from bot.services.lock import retraining_lock
from bot.services.personal import Personal
from bot.services.retention import Retention
from bot.services.retraining import Retraining
from bot.services.retraining_turn import RetrainingTurn
from bot.services.reviewing import Reviewing
from bot.services.statistics import StatisticsService
from bot.services.training_process import TrainingProcess
from bot.services.turns import Turns
from bot.services.versions import VersionService
from bot.services.wiping import Wiping
from bot.settings import Settings
from bot.storage.temporary import NAME, Temporary
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
        inbox: Inbox,
        first_training: FirstTraining | None = None,
    ) -> None:
        """`first_training`: where there are no models yet."""
        self.first_training = first_training
        write, read, clock = database.write, database.read, inbox.clock
        self.metrics = metrics
        self.clock = clock
        self.feedback = FeedbackService(write, metrics, clock, settings.ask_uncertain_share)
        self.reviewing = Reviewing(write, read, queue, inbox, self.feedback)
        self.explaining = Explaining(read, queue)
        self.temporary = Temporary(settings.data_folder / NAME)
        self.wiping = Wiping(settings.database_url)
        self.backing_up = BackingUp(settings.backups, clock, settings.backup_cron)
        self.retention = Retention(write, clock, settings.backups)
        self.personal = Personal(write, read, clock, self.wiping, self.temporary)
        self.joiner = Joiner(WAIT, can_wait)
        self.turns = Turns()
        book = SenderBook(write)
        self.messages = FloodLimit(book, "messages", settings.reviews_per_minute)
        # Apart, so that a flood of reviews leaves /forget within reach.
        self.commands = FloodLimit(book, "commands", settings.reviews_per_minute)
        self.taps = FloodLimit(book, "taps", TAPS * settings.reviews_per_minute)
        self.exports = FloodLimit(book, "exports", 1, EXPORT_PAUSE)
        # Each has the database written anew.
        self.erasures = FloodLimit(book, "erasures", 3, EXPORT_PAUSE)
        self.albums = FloodLimit(book, "albums", 1)  # each picture comes as a message
        self.admin_log = AdminLog(write, clock)
        self.versions = VersionService(live, self.admin_log, read)
        others = Others(write, inbox.lease.process) if database.is_shared else None
        self.champion = ChampionWatch(live, others)
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
        self.error_analysis = ErrorAnalysis(read, clock, self.temporary)
        self.judging = Judging(write, read, clock)
        self.drift = DriftWatch(write, read, live, clock)
