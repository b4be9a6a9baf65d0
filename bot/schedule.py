"""Jobs that the bot does at set times."""

import logging
import re
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobEvent
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger
from cronsim import CronSim, CronSimError

_GRACE = timedelta(hours=1)
"""A job is still done when it is this late: a machine that was asleep needs more than the one
second that is APScheduler's default."""

_TROUBLE = {
    EVENT_JOB_ERROR: "a job failed",
    EVENT_JOB_MISSED: "a job was missed",
    EVENT_JOB_MAX_INSTANCES: "a job was due while it ran",
}
_FIELDS = 5
_SUNDAY_AT_THE_END = re.compile(r"-sun\b", re.IGNORECASE)  # of a week that begins with Monday
_ONE_LONG = re.compile(r"\b(\w+)-\1/\d+")  # a range such as 3-3/2, which CronSim takes for 3/2

logger = logging.getLogger(__name__)


class Schedule:
    """Jobs by cron lines, in a time zone. No job runs twice at a time."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self.scheduler = AsyncIOScheduler(
            timezone=zone,
            job_defaults={
                "coalesce": True,
                "max_instances": 1,
                "misfire_grace_time": int(_GRACE.total_seconds()),
            },
        )
        self.scheduler.add_listener(_log, sum(_TROUBLE))

    def add(self, name: str, cron: str, job: Callable[[], Awaitable[object]]) -> None:
        """Run `job` at the times of the cron line; its errors are logged."""

        async def run() -> None:  # APScheduler awaits only what `async def` has defined
            await job()

        self.scheduler.add_job(run, CronTrigger(cron, self._zone), id=name, name=name)

    def start(self, since: datetime | None = None) -> None:
        """Run the jobs, in the running event loop; those also that came due since then."""
        since = since or datetime.now(self._zone)
        if not self.scheduler.running:
            self.scheduler.start(paused=True)
        for job in self.scheduler.get_jobs():
            job.modify(next_run_time=next(job.trigger.times_after(since), None))
            times = [moment.isoformat() for moment in self.next_times(job.id)]
            logger.info("scheduled", extra={"job": job.id, "next": times})
        self.scheduler.resume()

    def run_now(self, name: str) -> None:
        """Run a job as soon as this process runs any, besides its set times."""
        if job := self.scheduler.get_job(name):
            job.modify(next_run_time=datetime.now(self._zone))

    def pause(self) -> None:
        """Run none for now: another process does."""
        if self.scheduler.running:
            self.scheduler.pause()

    def stop(self) -> None:
        """Cancel the jobs that are running."""
        if self.scheduler.running:
            self.scheduler.shutdown(wait=False)

    def next_times(self, name: str, count: int = 3) -> list[datetime]:
        """When a job comes due next; none for one that is not scheduled."""
        job = self.scheduler.get_job(name)
        if job is None:
            return []
        return list(islice(job.trigger.times_after(datetime.now(self._zone)), count))

    def was_missed(self, cron: str, since: datetime, now: datetime) -> bool:
        """Whether the cron line has come due after `since`, and by now."""
        due = next(CronTrigger(cron, self._zone).times_after(since), None)
        return due is not None and due <= now


class CronTrigger(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """When a crontab(5) line comes due in a zone, as Debian's cron understands it.

    Sunday is 0 and 7; where both the day of the month and the day of the week are given, either
    is enough. A set time that the clocks skip comes due right after the gap, and one that they
    show twice comes due once. APScheduler's own trigger differs in all of these.
    """

    def __init__(self, line: str, zone: ZoneInfo) -> None:
        """Raises ValueError for what is no cron line, or a date that never comes."""
        if len(line.split()) != _FIELDS:
            raise ValueError(f"a cron line has {_FIELDS} fields")
        self._line = _ONE_LONG.sub(r"\1", _SUNDAY_AT_THE_END.sub("-7", line))
        self._zone = zone
        try:
            next(self.times_after(datetime.now(zone)))
        except (CronSimError, StopIteration) as error:
            raise ValueError(str(error) or "that date never comes") from error

    def times_after(self, moment: datetime) -> Iterator[datetime]:
        """All times after a moment, in order."""
        return CronSim(self._line, moment.astimezone(self._zone))

    def get_next_fire_time(
        self, previous_fire_time: datetime | None, now: datetime
    ) -> datetime | None:
        """The first time after the last one or, at the start, from now on."""
        # CronSim looks beyond the second that it is given.
        after = previous_fire_time or now - timedelta(seconds=1)
        return next(self.times_after(after), None)


def _log(event: JobEvent) -> None:
    error = getattr(event, "exception", None)
    logger.warning(_TROUBLE[event.code], exc_info=error, extra={"job": event.job_id})
