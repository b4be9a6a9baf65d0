"""Do last week's reviews still resemble those that the models were trained on?"""

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from bot.clock import Clock
from bot.prediction.live_models import LiveModels
from classifier.errors import ClassifierError
from db import admin_actions, pairs
from db.engine import Sessions
from db.pairs import AnsweredReview

if TYPE_CHECKING:  # torch takes seconds to import
    from classifier.evaluation.drift import Shift

PERIOD = timedelta(days=7)
FEWEST = 100  # fewer reviews of the period tell nothing
MOST = 1_000  # how many reviews are looked at, at most; drawn at random where there are more
_BEGUN, _OVER = "drift", "drift over"  # as admin_actions has them

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Drift:
    """What has shifted, the most shifted first."""

    model: str
    reviews: int
    shifts: "list[Shift]"


@dataclass(frozen=True)
class DriftWatch:
    """Drift comes in episodes: from the first shift until all has settled or other models answer.

    The database remembers the episode, so that the admins get one message about it, not one each
    day or restart.
    """

    write: Sessions
    read: Sessions
    live: LiveModels
    clock: Clock

    async def check(self) -> Drift | None:
        """A drift that the admins have not been told of; call `told` after telling them."""
        model = self.live.version
        async with self.read() as session:
            since = self.clock() - PERIOD
            reviews = await pairs.sample(session, model, since, MOST)
            latest = await admin_actions.latest(session, [_BEGUN, _OVER])
        is_open = (
            latest is not None
            and latest.action == _BEGUN
            and (latest.details or {}).get("model") == model
        )
        if len(reviews) < FEWEST:
            logger.info("too few reviews to tell drift by", extra={"reviews": len(reviews)})
            return None
        shifts = await asyncio.to_thread(self._shifts, model, reviews)
        facts = {"model": model, "reviews": len(reviews)}
        logger.info("drift", extra={**facts, **_indices(shifts)})
        if is_open:
            if all(shift.is_settled for shift in shifts):
                await self._note(_OVER, {"model": model})
            return None
        shifted = [shift for shift in shifts if shift.is_shifted]
        if not shifted:
            return None
        shifted.sort(key=lambda shift: shift.index, reverse=True)
        return Drift(model, len(reviews), shifted)

    async def told(self, drift: Drift) -> None:
        """Note that the admins know of this drift: an episode begins."""
        facts = {"model": drift.model, "reviews": drift.reviews, "psi": _indices(drift.shifts)}
        await self._note(_BEGUN, facts)

    async def _note(self, action: str, details: dict[str, Any]) -> None:
        async with self.write.begin() as session:
            await admin_actions.add(session, None, action, self.clock(), details)

    def _shifts(self, model: str, reviews: list[AnsweredReview]) -> "list[Shift]":
        import numpy as np

        from classifier.evaluation import drift

        try:
            version = self.live.registry.get(model)
            reference = version.reference()
            if reference is None:
                return []
            probabilities = {
                pooling: np.array([getattr(review, pooling) for review in reviews])
                for pooling in ("cls", "mean")
            }
            texts = [review.text for review in reviews]
            return drift.compare(reference, drift.of_reviews(version.path, texts, probabilities))
        except ClassifierError as error:  # deleted meanwhile, or damaged
            logger.warning("drift can't be measured", extra={"error": str(error)})
            return []


def _indices(shifts: "list[Shift]") -> dict[str, float]:
    return {shift.name: round(shift.index, 3) for shift in shifts}
