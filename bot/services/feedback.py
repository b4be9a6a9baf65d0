"""True ratings: who may give one, who is asked for one, which are kept out of training."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum, auto

from sqlalchemy.ext.asyncio import AsyncSession

from bot.clock import Clock
from bot.monitoring.metrics import Metrics
from classifier.labels import ratings_differ
from db import feedback, installation, reviews
from db.engine import Sessions
from db.feedback import Given
from db.models import Prediction, Review
from db.training_data import normalised

_HELD_OUT = 5  # one rating in five
_ASKED = 10  # one review in ten
_AT_RANDOM, _UNCERTAIN = "random", "uncertain"  # Review.asked_for
_BETWEEN_UNCERTAIN = timedelta(days=1)  # to one person
_FINENESS = 2**64  # of the shares that a draw tells apart


class NotRated(Enum):
    GONE = auto()  # the review is erased
    NOT_YOURS = auto()


@dataclass(frozen=True)
class Draw:
    """Who is asked and what is held out: by chance, but the same each time it is asked.

    Keyed by the installation's secret, so that nobody can choose a text for the group it is in.
    """

    secret: bytes

    def is_asked(self, update_id: int) -> bool:
        """Whether the answer to a review is to ask for its rating: one in ten is.

        Users who rate without being asked are no fair sample of all users.
        """
        return self._number(f"asked:{update_id}") % _ASKED == 0

    def is_in_share(self, update_id: int, share: float) -> bool:
        """Whether a review is in a share of all, apart from those of `is_asked`."""
        return self._number(f"uncertain:{update_id}") % _FINENESS < share * _FINENESS

    def is_held_out(self, user_id: int, text: str) -> bool:
        """Whether a review's rating is for evaluation only: always the same fifth.

        Decided by user and text, so that a text sent again, with other spaces or capitals, stays
        in its group.
        """
        return self._number(f"held out:{user_id}:{normalised(text)}") % _HELD_OUT == 0

    def _number(self, name: str) -> int:
        named = name.encode("utf-8", "surrogatepass")
        return int.from_bytes(hmac.digest(self.secret, named, "sha256"))


@dataclass(frozen=True)
class Rated:
    review: Review
    rating: int


def models_disagree(predictions: Sequence[Prediction]) -> bool:
    """Whether the two say another sentiment, or ratings more than a point apart."""
    first, *others = predictions
    return any(
        other.sentiment != first.sentiment or ratings_differ(other.rating, first.rating)
        for other in others
    )


@dataclass
class FeedbackService:
    write: Sessions
    metrics: Metrics
    clock: Clock
    uncertain_share: float = 0.0  # of the reviews on which the models disagree
    _draw: Draw | None = field(default=None, init=False)

    async def draw(self) -> Draw:
        if self._draw is None:
            async with self.write.begin() as session:
                self._draw = Draw(await installation.secret(session))
        return self._draw

    async def asked_for(self, session: AsyncSession, review: Review, draw: Draw) -> str | None:
        """What to note with a review that is about to be stored: why its rating is asked for.

        At random, or because the models disagree, which is rarer: once a day to one person. A
        person is never asked twice in a row. The draw comes from before the transaction, since it
        may have to be stored by one of its own.
        """
        at_random = draw.is_asked(review.update_id)
        uncertain = draw.is_in_share(review.update_id, self.uncertain_share)
        if not (at_random or (uncertain and models_disagree(review.predictions))):
            return None
        if await reviews.asked_last(session, review.user_id):
            return None
        if at_random:
            return _AT_RANDOM
        since = review.created_at - _BETWEEN_UNCERTAIN
        was_asked = await reviews.asked_since(session, review.user_id, _UNCERTAIN, since)
        return None if was_asked else _UNCERTAIN

    async def rate(self, review_id: int, user_id: int, rating: int) -> Rated | NotRated:
        """Store the rating that the review's user gives it; the same one again is no change."""
        now, draw = self.clock(), await self.draw()
        async with self.write.begin() as session:
            review = await reviews.find(session, id=review_id)
            if review is None:
                return NotRated.GONE
            if review.user_id != user_id:
                return NotRated.NOT_YOURS
            asked = review.asked_for == _AT_RANDOM
            held_out = draw.is_held_out(user_id, review.text)
            given = Given(review_id, user_id, rating, asked=asked, held_out=held_out)
            stored = await feedback.rate(session, given, now)
        if stored is None:
            return NotRated.GONE
        if stored.created_at == now:  # and no change of an earlier rating
            self.metrics.rated(asked=stored.asked)
        return Rated(review, stored.rating)
