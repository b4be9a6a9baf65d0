"""`load`: how many reviews a second the bot answers in time, as people see it from outside.

One, two or three processes, with and without a retraining beside them.
"""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks import rows
from benchmarks.bots import Bots, bots_on
from benchmarks.outside import Outside
from benchmarks.postgres import PostgresServer, postgres_server
from benchmarks.reading import Reading, levels_of
from benchmarks.results import Results, Run, line_of
from benchmarks.tables import ratio
from bot.local.text import units
from bot.services.joining import NEAR_LIMIT
from classifier.data.reviews import Reviews, load_reviews
from classifier.errors import ClassifierError
from classifier.registry.registry import Registry
from classifier.registry.version import Version

FIRST_RATE = 2.0  # reviews a second, from which the search goes up
TELEGRAMS = 30.0  # messages a second, the most that Telegram takes from a bot
HIGHEST_RATE = 2 * TELEGRAMS

CLOSE_ENOUGH = 1.1
"""The search ends where the lowest rate that is too high is so many times the highest held."""

RETRAINING, NO_MODELS, REASONS = ", retraining", ", no models", ", reasons"
ALONE = ", retraining alone"
"""The bot is idle: how long a retraining takes at the best."""

_ASKED_WHY = 3  # every third answer


@dataclass(frozen=True)
class Plan:
    reviews: str  # a source
    version: str  # a name in the registry
    models: Path
    rate: float | None  # reviews a second; None: search the highest one that is held
    seconds: float  # of a run
    bound: float  # seconds within which 95 % are to be answered
    with_postgres: bool  # also for one process, to compare it with several
    whole_retraining: bool = False  # go on until it has ended

    @property
    def name(self) -> str:
        return "retraining" if self.whole_retraining else "load"

    def is_held(self, run: Run) -> bool:
        """Whether nobody was turned away, and 95 % were answered in time."""
        if not run["rate"]:
            return True
        p95, sent = run["p95_ms"], run["sent"]
        return run["answered"] == sent and p95 is not None and p95 < 1000 * self.bound


def arms_of(
    processes: list[int],
    *,
    retraining: bool,
    whole: bool = False,
    reasons: bool = False,
    no_models: bool = False,
) -> list[str]:
    """What is measured: "1 process", "2 processes, retraining" …"""
    names = [f"{count} process{'es' * (count > 1)}" for count in processes]
    kinds = [ALONE, RETRAINING] if whole else ["", *[RETRAINING] * retraining]
    kinds += [*[REASONS] * reasons, *[NO_MODELS] * no_models]
    return [name + kind for name in names for kind in kinds]


def run_arms(console: Console, plan: Plan, names: list[str], path: Path) -> Results:
    """Each arm in turn: one run at the plan's rate, or as many as the search takes."""
    version = Registry(plan.models).get(plan.version)
    reviews = load_reviews(plan.reviews)
    texts = [text for text in reviews.rows["text"] if units(text) < NEAR_LIMIT]
    settings = {
        "version": version.name,
        "rate": plan.rate,
        "seconds": plan.seconds,
        "bound_ms": 1000 * plan.bound,
    }
    about = {name: _about(name, plan) for name in names}
    about_rows = _described(reviews, texts)
    results = Results(path, name=plan.name, arms=about, settings=settings, rows=about_rows)
    for name in names:
        try:
            asyncio.run(_measure(console, plan, name, (version, texts), results))
        except ClassifierError as error:
            results.add(name, {"failed": str(error)})
            console.print(f"{name}: failed: {error}", highlight=False)
    arms = {name: summary(results.runs(name), plan) for name in names}
    for name, arm in arms.items():
        alone = arms.get(name.replace(RETRAINING, ALONE), {}).get("retraining_seconds")
        arm["retraining_to_alone"] = ratio(arm.get("retraining_seconds"), alone)
    results.finish({"arms": arms})
    return results


def summary(runs: list[Run], plan: Plan) -> dict[str, Any]:
    """Of an arm: its run at the highest rate that was held or, if none was, at the lowest."""
    held = [run for run in runs if plan.is_held(run)]
    shown = max(held, key=lambda run: run["rate"], default=None) or min(
        runs, key=lambda run: run["rate"], default={}
    )
    return shown | {"held": bool(held)}


async def _measure(
    console: Console, plan: Plan, name: str, given: tuple[Version, list[str]], results: Results
) -> None:
    version, texts = given
    count = int(name.split()[0])
    outside = Outside(texts)
    outside.state.ask_why_every = _ASKED_WHY if REASONS in name else 0
    await outside.start()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        try:
            server = stack.enter_context(postgres_server()) if _on_postgres(count, plan) else None
            database = _database(server, Path(folder))
            program = "benchmarks.instant_bot" if NO_MODELS in name else "bot"
            async with bots_on(outside, version, count, database, Path(folder), program) as bots:
                reading = Reading(database)

                async def run(rate: float) -> bool:
                    found = await _run(
                        plan, rate, (outside, bots, reading), retrain=RETRAINING in name
                    )
                    results.add(name, found)
                    held = "" if plan.is_held(found) else ", not held"
                    levels = levels_of(found)
                    console.print(f"{name}: {line_of(found)} ({levels}){held}", highlight=False)
                    return plan.is_held(found)

                rate = 0.0 if name.endswith(ALONE) else plan.rate
                if NO_MODELS in name:
                    rate = plan.rate or TELEGRAMS
                await (run(rate) if rate is not None else search(run))
        finally:
            await outside.stop()


async def search(is_held: Callable[[float], Awaitable[bool]]) -> None:
    """Ask about higher rates until one isn't held, then about those between."""
    held, too_high, rate = 0.0, 0.0, FIRST_RATE
    while True:
        if await is_held(rate):
            held = rate
        else:
            too_high = rate
        if held >= HIGHEST_RATE or (not held and rate < FIRST_RATE / 8):
            return
        if too_high and held and too_high <= CLOSE_ENOUGH * held:
            return
        if not too_high:
            rate = min(2 * held, HIGHEST_RATE)
        elif not held:
            rate = too_high / 2
        else:
            rate = (held * too_high) ** 0.5


async def _run(
    plan: Plan, rate: float, given: tuple[Outside, Bots, Reading], *, retrain: bool
) -> Run:
    outside, bots, reading = given
    if retrain:
        await bots.retrain()
    await reading.begin()
    memory, cpu, statements = _resident(bots), bots.cpu_seconds(), bots.statements()
    found: Run = {"rate": rate}
    if rate:
        goes_on = bots.is_retraining if plan.whole_retraining else lambda: False
        told = await outside.load(rate, plan.seconds, 2 * plan.seconds, goes_on)
        found |= told.figures() | await reading.figures()
        if answered := len(told.answered):
            found["cpu_ms"] = 1000 * (bots.cpu_seconds() - cpu) / answered
            if statements:
                found["statements"] = (bots.statements() - statements) / answered
    bots.check()
    if plan.whole_retraining:
        found["retraining_seconds"] = await bots.retrained()
    found |= {"processes": bots.memory(), "resident_mb": _resident(bots)}
    found["grown_mb"] = found["resident_mb"] - memory
    if retrain:
        found["still_retraining"] = bots.is_retraining()
        if not (found["still_retraining"] or plan.whole_retraining):
            found["retraining_ended"] = bots.told_to_admin()
    return found


def _resident(bots: Bots) -> float:
    return sum(one["resident_mb"] or 0.0 for one in bots.memory())


def _on_postgres(count: int, plan: Plan) -> bool:
    return count > 1 or plan.with_postgres


def _database(server: PostgresServer | None, folder: Path) -> str:
    return server.url("postgres") if server else f"sqlite+aiosqlite:///{folder}/bot.db"


def _about(name: str, plan: Plan) -> str:
    database = "PostgreSQL" if _on_postgres(int(name.split()[0]), plan) else "SQLite"
    beside = ", while the models are retrained at the lowest priority" * (RETRAINING in name)
    beside += ", asked for the reasons of every third answer" * (REASONS in name)
    beside += "; nobody writes" * name.endswith(ALONE)
    beside += ", with models that take no time in place of the version's" * (NO_MODELS in name)
    return f"python -m bot on {database}, polling a local Bot API server{beside}"


def _described(reviews: Reviews, texts: list[str]) -> dict[str, Any]:
    if not texts:
        raise ClassifierError("No review fits into one message.")
    described = rows.described(reviews, reviews.rows)
    lengths = sorted(map(len, texts))
    # A longer one would wait for the rest of it.
    return described | {"rows": len(texts), "median_characters": lengths[len(lengths) // 2]}
