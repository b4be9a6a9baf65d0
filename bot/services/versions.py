"""The model versions: which there are, what the gate decided, which one is to answer."""

import asyncio
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from bot.prediction.live_models import LiveModels
from bot.services.admin_log import AdminLog
from classifier.errors import ClassifierError
from classifier.evaluation.figures import POOLING_NAMES
from classifier.registry.version import Version
from db import training_runs
from db.engine import Sessions
from db.models import TrainingRun

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ModelVersion:
    name: str
    figures: dict[str, dict[str, Any]]  # by pooling, those of its holdout in metrics.json
    decision: str | None  # of the gate: "promoted" or "refused"


@dataclass(frozen=True)
class Versions:
    newest_first: list[ModelVersion]
    champion: str | None
    earlier: str | None  # which a rollback would make the champion


@dataclass(frozen=True)
class VersionService:
    live: LiveModels
    log: AdminLog
    read: Sessions

    async def versions(self) -> Versions:
        """Those on disk that are complete."""
        async with self.read() as session:
            decisions = await training_runs.decided(session)
        return await asyncio.to_thread(self._versions, decisions)

    async def decision_on(self, version: str) -> TrainingRun | None:
        """The run in which the gate decided on this version."""
        async with self.read() as session:
            return await training_runs.judging(session, version)

    async def promote(self, version: str, admin_id: int, language: str) -> None:
        """Make a version answer from the next batch on.

        Where its files are damaged or it fails the self-test, raises BotError or ClassifierError,
        and the champion stays.
        """
        await self.install(version)
        await self.log.note(admin_id, language, "promote", {"version": version})

    async def install(self, version: str) -> None:
        """`promote`, without a record of who did it."""
        models = await self.live.load(version)
        await asyncio.to_thread(self.live.registry.promote, version)
        self.live.take(models)

    async def tidy(self, unneeded: Collection[str]) -> None:
        """Delete what killed trainings left, and these versions, unless they ever answered."""
        deleted = await asyncio.to_thread(self.live.registry.discard, unneeded)
        if deleted:
            logger.info("versions deleted", extra={"versions": deleted})

    async def roll_back(self, version: str, admin_id: int, language: str) -> bool:
        """Make `version`, the champion before this one, answer again.

        False if another version is the one before by now. Raises as `promote` does.
        """
        registry = self.live.registry
        earlier = await asyncio.to_thread(registry.earlier_champion)
        if earlier is None or earlier.name != version:
            return False
        models = await self.live.load(version)
        reached = await asyncio.to_thread(registry.rollback)
        if reached.name != version:  # another promotion was first: the bot follows it
            return False
        self.live.take(models)
        await self.log.note(admin_id, language, "rollback", {"version": version})
        return True

    def _versions(self, decisions: Mapping[str, str]) -> Versions:
        registry = self.live.registry
        try:
            champion = registry.champion()
        except ClassifierError:  # damaged: another one can still be promoted
            champion = None
        earlier = registry.earlier_champion()
        return Versions(
            newest_first=[
                _described(one, decisions.get(one.name)) for one in reversed(registry.versions())
            ],
            champion=champion.name if champion else None,
            earlier=earlier.name if earlier else None,
        )


def _described(version: Version, decision: str | None) -> ModelVersion:
    try:
        metrics = version.metrics()
    except ClassifierError:
        metrics = {}
    figures = {name: metrics.get(name) for name in POOLING_NAMES}
    known = {name: of for name, of in figures.items() if isinstance(of, dict)}
    return ModelVersion(version.name, known, decision)
