"""The application, built: everything is registered, nothing started."""

import asyncio
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine
from telegram import Update
from telegram.ext import AIORateLimiter, Application
from telegram.request import HTTPXRequest

from bot.clock import Clock, utc_now
from bot.delivery.inbox import InboxProcessor, InboxQueue, can_wait
from bot.delivery.polling import PollingRequest, Pulse
from bot.delivery.transactions import Transactions
from bot.handlers.errors import apologise, on_error
from bot.handlers.registration import register
from bot.monitoring.health import Checkup
from bot.monitoring.metrics import CountedPredictor, Metrics
from bot.monitoring.server import Monitoring
from bot.prediction.live_models import LiveModels, load_models
from bot.prediction.queue import PredictionQueue, Predicts
from bot.schedule import Schedule
from bot.services.drift import DriftWatch
from bot.services.retraining import Retraining
from bot.services.services import build_services
from bot.settings import Settings
from bot.views.drift import watch_drift
from classifier.registry.registry import Registry
from db.engine import create_engine, reading, writing

CONCURRENT_UPDATES = 64
DAILY = "0 10 * * *"
"""When the admins are told of drift: at an hour when they are awake."""

SECONDS_TO_FINISH = 8.0
"""How long a stop waits for the updates in hand; supervisors kill after 10 or more."""


class Kinorate(Application[Any, Any, Any, Any, Any, Any]):
    """PTB's Application, with the inbox, the prediction queue and the database behind it."""

    def __init__(
        self,
        *,
        engine: AsyncEngine,
        transactions: Transactions,
        inbox: InboxQueue,
        processor: InboxProcessor,
        queue: PredictionQueue,
        live: LiveModels,
        pulse: Pulse,
        metrics: Metrics,
        schedule: Schedule,
        retraining: Retraining,
        retrain_cron: str | None,
        **parts: Any,
    ) -> None:
        super().__init__(**parts)
        self.pulse = pulse
        self.schedule = schedule
        self.monitoring: Monitoring | None = None
        self._retraining = retraining
        self._retrain_cron = retrain_cron
        self._catching_up: asyncio.Task[None] | None = None
        self._metrics = metrics
        self._engine = engine
        self._transactions = transactions
        self._inbox = inbox
        self._processor = processor
        self._queue = queue
        self._live = live
        self._following: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to handle updates, first those that an earlier process left in the inbox."""
        await self._queue.start()
        await self._inbox.replay(self.bot)
        await super().start()
        self._following = asyncio.create_task(self._live.follow(), name="champion")
        self.schedule.start()
        self._catching_up = asyncio.create_task(self._catch_up(), name="catching up")

    async def stop(self) -> None:
        """Finish the updates in hand; what is only queued stays in the inbox."""
        self.schedule.stop()
        if self._catching_up is not None:
            # Not cancelled: a connection broken off in a query never closes, and the loop with it.
            await asyncio.wait({self._catching_up})
        await self._retraining.stop()
        if self._following is not None:
            self._following.cancel()
        await self._processor.finish(SECONDS_TO_FINISH)
        await super().stop()
        await self._queue.stop()

    async def _catch_up(self) -> None:
        """With what an earlier process left unfinished, or was not there for."""
        await self._retraining.recover()
        if self._retrain_cron is not None:
            await self._retraining.catch_up(self.schedule, self._retrain_cron)

    async def shutdown(self) -> None:
        await super().shutdown()
        await self._transactions.finish()
        await self._engine.dispose()

    async def process_update(self, update: object) -> None:
        if isinstance(update, Update):
            self._metrics.updated(update)
        await super().process_update(update)

    async def process_error(
        self, update: object, error: Exception, job: Any = None, coroutine: Any = None
    ) -> bool:
        """Hand an error that can wait up to the inbox, which tries again; others to on_error."""
        # With a coroutine it is a background task's: its update may be done already.
        if isinstance(update, Update) and coroutine is None and can_wait(error):
            raise error
        return await super().process_error(update, error, job, coroutine)


def build_application(
    settings: Settings,
    predictor: Predicts,
    *,
    token: str,
    base_url: str | None = None,
    clock: Clock = utc_now,
) -> Kinorate:
    """The bot, on a database that has been migrated; `base_url` is a Bot API server's address.

    Start it as any Application: initialize, start, then fetch updates (bot/serving.py). The
    prediction queue and the database's connections start and end with it.
    """
    engine = create_engine(settings.database_url)
    write, read = writing(engine), reading(engine)
    metrics = Metrics()
    live = LiveModels(predictor, Registry(settings.models), load_models)
    queue = PredictionQueue(CountedPredictor(live, metrics), limit=settings.waiting_reviews)
    transactions = Transactions(write)
    inbox = InboxQueue(transactions, clock)
    processor = InboxProcessor(CONCURRENT_UPDATES, inbox, transactions, clock, apologise)
    pulse = Pulse()
    services = build_services(settings, write, read, queue, live, metrics, clock)
    server = base_url or settings.bot_api_url
    application = (
        Application.builder()
        .application_class(
            Kinorate,
            {
                "engine": engine,
                "transactions": transactions,
                "inbox": inbox,
                "processor": processor,
                "queue": queue,
                "live": live,
                "pulse": pulse,
                "metrics": metrics,
                "schedule": Schedule(settings.time_zone),
                "retraining": services.retraining,
                "retrain_cron": settings.retrain_cron,
            },
        )
        .token(token)
        .base_url(f"{server}/bot")
        .base_file_url(f"{server}/file/bot")
        # A send that times out may have arrived and is made again: be patient.
        .request(HTTPXRequest(connection_pool_size=256, read_timeout=30, pool_timeout=30))
        .get_updates_request(PollingRequest(pulse, connection_pool_size=1))
        .rate_limiter(AIORateLimiter(max_retries=3))
        .update_queue(inbox)
        .concurrent_updates(processor)
        .job_queue(None)
        .build()
    )
    assert isinstance(application, Kinorate)
    if settings.monitoring_port is not None:
        checkup = Checkup(
            read=read,
            predictor=live,
            queue=queue,
            pulse=pulse,
            is_fetching=lambda: application.updater is not None and application.updater.running,
            by_webhook=settings.webhook_url is not None,
            waiting_updates=inbox.qsize,
        )
        application.monitoring = Monitoring(settings.monitoring_port, checkup, metrics)
    watch = DriftWatch(write, read, live, clock)
    application.schedule.add(
        "drift", DAILY, lambda: watch_drift(application.bot, settings.admin_ids, watch)
    )
    register(application, services, settings.admin_ids)
    if settings.retrain_cron is not None:
        application.schedule.add(
            "retraining", settings.retrain_cron, lambda: services.retraining.begin("schedule")
        )
    application.add_error_handler(on_error)
    return application
