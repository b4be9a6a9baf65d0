"""What the bot does at set times."""

import logging
import re
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobEvent
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger

_GRACE = timedelta(hours=1)
"""So late a job is still done: APScheduler's own second is little on a machine that was asleep."""

_TROUBLE = {
    EVENT_JOB_ERROR: "a job failed",
    EVENT_JOB_MISSED: "a job was missed",
    EVENT_JOB_MAX_INSTANCES: "a job was due while it ran",
}
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_WEEKDAY = re.compile(r"(?<![/\d])[0-7](?!\d)")  # but not the step of */2

logger = logging.getLogger(__name__)


class Schedule:
    """Jobs by cron lines, in a time zone. No job runs twice at a time."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._scheduler = AsyncIOScheduler(
            timezone=zone,
            job_defaults={
                "coalesce": True,
                "max_instances": 1,
                "misfire_grace_time": int(_GRACE.total_seconds()),
            },
        )
        self._scheduler.add_listener(_log, sum(_TROUBLE))

    def add(self, name: str, cron: str, job: Callable[[], Awaitable[object]]) -> None:
        """Do `job` whenever the cron line says; what it raises is logged."""

        async def run() -> None:  # APScheduler asks the function whether it is a coroutine's
            await job()

        self._scheduler.add_job(run, cron_trigger(cron, self._zone), id=name, name=name)

    def start(self) -> None:
        """Begin, in the event loop that is to run the jobs."""
        self._scheduler.start()

    def stop(self) -> None:
        """Cancel what runs."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def run_soon(self, name: str) -> None:
        """Do a job now, and then at its times again."""
        self._scheduler.modify_job(name, next_run_time=datetime.now(self._zone))

    def next_time(self, name: str) -> datetime:
        """When a job comes due, once all has begun."""
        moment = self._scheduler.get_job(name).next_run_time
        assert isinstance(moment, datetime)
        return moment

    def was_missed(self, cron: str, since: datetime, now: datetime) -> bool:
        """Whether the cron line has come due after `since`, and by now."""
        later = since + timedelta(microseconds=1)
        due = cron_trigger(cron, self._zone).get_next_fire_time(since, later)
        return due is not None and due <= now


def cron_trigger(line: str, zone: ZoneInfo) -> CronTrigger:
    """When a cron line comes due in a zone; ValueError for what is no cron line.

    Days of the week are cron's, 0 or 7 for Sunday; APScheduler's own numbers begin with Monday.
    """
    *fields, weekdays = line.split()
    named = _WEEKDAY.sub(lambda number: _WEEKDAYS[int(number[0]) % 7], weekdays)
    # The scheduler's own zone does not reach a trigger made from a cron line.
    return CronTrigger.from_crontab(" ".join([*fields, named]), zone)


def _log(event: JobEvent) -> None:
    error = getattr(event, "exception", None)
    logger.warning(_TROUBLE[event.code], exc_info=error, extra={"job": event.job_id})
