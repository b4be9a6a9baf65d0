"""Jobs of a schedule, run before they are due."""

from datetime import UTC, datetime

from bot.schedule import Schedule


def run_soon(schedule: Schedule, name: str) -> None:
    """Run a job now, and then at its times again."""
    schedule.scheduler.modify_job(name, next_run_time=datetime.now(UTC))
