"""True ratings: who may give one, who is asked for one, which are kept out of training."""

from dataclasses import dataclass
from enum import Enum, auto
from hashlib import sha256

from bot.clock import Clock
from bot.monitoring.metrics import Metrics
from db import feedback, reviews
from db.engine import Sessions
from db.feedback import Given
from db.models import Review

_HELD_OUT = 5  # one rating in five
_ASKED = 10  # one review in ten


class NotRated(Enum):
    GONE = auto()  # the review is erased
    NOT_YOURS = auto()


@dataclass(frozen=True)
class Rated:
    review: Review
    rating: int


@dataclass(frozen=True)
class FeedbackService:
    write: Sessions
    metrics: Metrics
    clock: Clock

    async def rate(self, review_id: int, user_id: int, rating: int) -> Rated | NotRated:
        """Store the rating that the review's user gives it; the same one again is no change."""
        now = self.clock()
        async with self.write.begin() as session:
            review = await reviews.find(session, id=review_id)
            if review is None:
                return NotRated.GONE
            if review.user_id != user_id:
                return NotRated.NOT_YOURS
            asked, held_out = is_asked(review.update_id), is_held_out(user_id, review.text)
            given = Given(review_id, user_id, rating, asked=asked, held_out=held_out)
            stored = await feedback.rate(session, given, now)
        if stored is None:
            return NotRated.GONE
        if stored.created_at == now:  # and no change of an earlier rating
            self.metrics.rated(asked=stored.asked)
        return Rated(review, stored.rating)


def is_asked(update_id: int) -> bool:
    """Whether the answer to a review asks for its rating: one in ten does.

    Users who rate without being asked are no fair sample of all users. Decided by a hash of the
    update, so that a repeated answer, and the rating given to it, are in the same group.
    """
    digest = sha256(f"asked:{update_id}".encode()).digest()
    return int.from_bytes(digest) % _ASKED == 0


def is_held_out(user_id: int, text: str) -> bool:
    """Whether a review's rating is for evaluation only: always the same fifth.

    Decided by user and text, so that a text sent again, with other spaces or capitals, stays in
    its group.
    """
    normalised = " ".join(text.casefold().split())
    digest = sha256(f"{user_id}:{normalised}".encode()).digest()
    return int.from_bytes(digest) % _HELD_OUT == 0
