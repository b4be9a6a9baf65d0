"""The application, built: everything is registered, nothing is started."""

import asyncio
from typing import Any

from telegram import Update
from telegram.ext import Application, Defaults

from bot.clock import Clock, utc_now
from bot.delivery.claiming import Claiming
from bot.delivery.inbox import Inbox
from bot.delivery.lease import Lease
from bot.delivery.outgoing import Outgoing
from bot.delivery.polling import PollingRequest
from bot.delivery.processor import InboxProcessor, can_wait
from bot.delivery.requests import TelegramRequest
from bot.delivery.retries import Pulse
from bot.delivery.route import route_to
from bot.delivery.shares import Shares
from bot.delivery.transactions import Transactions
from bot.handlers.admin_notices import ChampionNotice, back_up, watch_drift
from bot.handlers.first_training import FirstTrainingNotice
from bot.handlers.membership import apologise
from bot.handlers.registration import register
from bot.monitoring.health import Checkup
from bot.monitoring.metrics import Metrics
from bot.monitoring.server import Monitoring
from bot.prediction.live_models import LiveModels, load_models
from bot.prediction.queue import PredictionQueue, Predicts
from bot.schedule import Schedule
from bot.scheduling import Scheduling
from bot.services.backing_up import BACKUP
from bot.services.first_training import FirstTraining
from bot.services.lock import scheduling_lock
from bot.services.retraining import RETRAINING
from bot.services.services import Services
from bot.settings import Settings
from classifier.registry.registry import Registry
from db.engine import Database

CONCURRENT_UPDATES = 64
OF_ONE_PERSON = 8  # of them
ENOUGH_WAITING = 16
"""Reviews before the models, a batch of them: what comes more is for a process that has room."""

DRIFT_CHECKED = "0 10 * * *"
"""Daily, at an hour when the admins are awake: they are told of drift."""

RETENTION_ENFORCED = "30 3 * * *"
"""Daily, at an hour when few people write."""

SECONDS_TO_ANSWER = 30.0
"""How long Telegram may take. A send that times out may have arrived and is made again."""

SECONDS_TO_FINISH = 6.0
"""How long a stop waits for the updates in hand; supervisors kill after 10 or more."""


class Parts:
    """What the bot consists of besides PTB's Application, built from the settings."""

    def __init__(self, settings: Settings, models: Predicts | FirstTraining, clock: Clock) -> None:
        self.settings = settings
        self.first_training = models if isinstance(models, FirstTraining) else None
        predictor = None if isinstance(models, FirstTraining) else models
        self.database = Database(settings.database_url)
        self.metrics = Metrics()
        self.live = LiveModels(predictor, Registry(settings.models), load_models)
        self.queue = PredictionQueue(
            self.live, limit=settings.waiting_reviews, on_batch=self.metrics.predicted
        )
        self.transactions = Transactions(self.database.write)
        self.lease = Lease(self.transactions, clock, is_shared=self.database.is_shared)
        self.inbox = Inbox(self.transactions, self.lease, clock, self.metrics.unreadable)
        self.pulse = Pulse()
        self.schedule = Schedule(settings.time_zone)
        self.inbox.has_models = self.live.ready.is_set
        self.services = Services(
            settings,
            self.database,
            self.queue,
            self.live,
            self.metrics,
            self.inbox,
            self.first_training,
        )
        self.scheduling = Scheduling(
            scheduling_lock(self.database),
            self.schedule,
            self.services,
            settings.retrain_cron,
        )
        self.checkup = Checkup(
            read=self.database.read,
            predictor=self.live,
            queue=self.queue,
            pulse=self.pulse,
            by_webhook=settings.webhook_url is not None,
            backup_age=self.services.backing_up.age,
            champion_trouble=lambda: self.services.champion.trouble,
        )
        self.processor = InboxProcessor(
            Shares(CONCURRENT_UPDATES, OF_ONE_PERSON), self.inbox, apologise
        )
        self.outgoing = Outgoing(self.services.reviewing.move_chat, self.lease.check)
        self.lease.on_lost = self.processor.drop
        self.lease.on_freed = self.inbox.changed.set
        self.lease.on_change = self._share_limits
        self.claiming = Claiming(
            self.inbox,
            most=CONCURRENT_UPDATES,
            each=OF_ONE_PERSON,
            is_busy=lambda: self.queue.waiting + self.inbox.arriving >= ENOUGH_WAITING,
        )
        self.queue.on_taken = self.inbox.has_room
        self.queue.behind = self._behind

    def _behind(self) -> int:
        """Reviews that are about to come before the models; of unclaimed ones a fair part."""
        return self.inbox.arriving + self.inbox.unclaimed // self.lease.processes

    def _share_limits(self) -> None:
        """Those that hold for all processes together: each that is alive has an equal part."""
        processes = self.lease.processes
        self.queue.limit = max(1, self.settings.waiting_reviews // processes)
        self.outgoing.share(processes)


class Kinorate(Application[Any, Any, Any, Any, Any, Any]):
    """PTB's Application, with the inbox, the prediction queue and the database behind it."""

    def __init__(self, *, parts: Parts, polling: PollingRequest, **options: Any) -> None:
        super().__init__(**options)
        self.parts = parts
        self.polling = polling
        self.monitoring: Monitoring | None = None
        self._telling: asyncio.Task[None] | None = None  # of the first training

    async def start(self) -> None:
        """Begin to handle updates."""
        await asyncio.to_thread(self.parts.services.temporary.sweep)
        await self.parts.queue.start()
        await super().start()
        self.parts.services.champion.start()
        if (training := self.parts.first_training) is not None:
            training.on_ready = self.parts.inbox.changed.set  # held updates can be claimed
            training.start(self.parts.live)
            self._telling = asyncio.create_task(self._notice(training).run(), name="telling")
        self.parts.services.wiping.start()
        self.parts.scheduling.start()

    async def stop(self) -> None:
        """Finish the updates in hand; what is only queued stays in the inbox."""
        await asyncio.gather(self.parts.processor.finish(SECONDS_TO_FINISH), self._end_trainings())
        await self.parts.lease.end()
        await self.parts.services.wiping.stop()
        await self.parts.services.champion.stop()
        await super().stop()
        await self.parts.queue.stop()

    def _notice(self, training: FirstTraining) -> FirstTrainingNotice:
        services = self.parts.services
        return FirstTrainingNotice(self.bot, training, services.personal, services.versions)

    async def _end_trainings(self) -> None:
        if self._telling is not None:
            self._telling.cancel()
        if self.parts.first_training is not None:
            await self.parts.first_training.stop()
        await self.parts.scheduling.stop()
        await self.parts.services.retraining.stop()

    async def shutdown(self) -> None:
        await super().shutdown()
        await self.parts.transactions.finish()
        await self.parts.database.close()

    async def process_update(self, update: object) -> None:
        if isinstance(update, Update):
            self.parts.metrics.updated(update)
        await super().process_update(update)

    async def process_error(
        self, update: object, error: Exception, job: Any = None, coroutine: Any = None
    ) -> bool:
        """Hand an error that can wait to the inbox, which tries again; report any other."""
        # With a coroutine it is a background task's: its update may be done already.
        if isinstance(update, Update) and coroutine is None and can_wait(error):
            raise error
        return await super().process_error(update, error, job, coroutine)


def build_application(
    settings: Settings,
    models: Predicts | FirstTraining,
    *,
    token: str,
    base_url: str | None = None,
    clock: Clock = utc_now,
    monitoring: Monitoring | None = None,
) -> Kinorate:
    """The bot, on a database that has been migrated; `base_url` is a Bot API server's address.

    It answers with `models`, or holds the reviews until the first training has made some.
    `monitoring` may listen already; without it MONITORING_PORT makes one.

    Start it as any Application: initialize, start, then fetch updates (bot/serving.py). The
    prediction queue and the database's connections start and end with it.
    """
    parts = Parts(settings, models, clock)
    server = base_url or settings.bot_api_url
    route = route_to(server)
    polling = PollingRequest(connection_pool_size=1, httpx_kwargs=route)
    application = (
        Application.builder()
        .application_class(Kinorate, {"parts": parts, "polling": polling})
        .token(token)
        .base_url(f"{server}/bot")
        .base_file_url(f"{server}/file/bot")
        .request(
            TelegramRequest(
                connection_pool_size=256,
                read_timeout=SECONDS_TO_ANSWER,
                pool_timeout=SECONDS_TO_ANSWER,
                httpx_kwargs=route,
            )
        )
        .updater(None)
        .get_updates_request(polling)
        .rate_limiter(parts.outgoing)
        # A command that is deleted before it is answered is answered all the same.
        .defaults(Defaults(allow_sending_without_reply=True))
        .update_queue(parts.inbox.queue)
        .concurrent_updates(parts.processor)
        .job_queue(None)
        .build()
    )
    assert isinstance(application, Kinorate)
    application.monitoring = monitoring or Monitoring.of(settings)
    if application.monitoring is not None:
        application.monitoring.watch(parts.checkup, parts.metrics)
    services, admin_ids, schedule = parts.services, settings.admin_ids, parts.schedule
    schedule.add("retention", RETENTION_ENFORCED, services.retention.enforce)
    schedule.add(
        "drift",
        DRIFT_CHECKED,
        lambda: watch_drift(application.bot, admin_ids, services.drift, services.personal),
    )
    process = parts.lease.process
    notice = ChampionNotice(application.bot, admin_ids, services, process)
    services.champion.tell = notice.tell
    register(application, services, admin_ids, schedule)
    if cron := settings.backup_cron:
        schedule.add(BACKUP, cron, lambda: back_up(application.bot, admin_ids, services))
    if cron := settings.retrain_cron:
        schedule.add(RETRAINING, cron, lambda: services.retraining.begin("schedule"))
    return application
