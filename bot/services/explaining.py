"""Why the models answered as they did: read again when asked for, behind everybody's reviews."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto

from bot.prediction.queue import PredictionQueue, QueueFull
from classifier.explanation.reasons import Explanation, explained, variants
from classifier.explanation.units import Units
from db import reviews
from db.engine import Sessions
from db.hard_reviews import HardReview
from db.models import Prediction

PATIENCE = 30.0
"""Seconds for the reasons of several reviews: people's own reviews go before them all the time."""

Place = tuple[int, int]
"""A chat and a message in it."""


class NotExplained(Enum):
    GONE = auto()  # the review is erased
    ELSEWHERE = auto()  # asked by another person, and not under the answer to the review
    OTHER_VERSION = auto()  # than the one that answers now


@dataclass
class Explaining:
    read: Sessions
    queue: PredictionQueue

    async def explain(
        self, review_id: int, user_id: int, place: Place | None
    ) -> Explanation | NotExplained:
        """The reasons of the stored answer; raises QueueFull where too many wait for theirs.

        Whoever sent the review may ask, and who sees the answer to it, which is at `place`: a
        client may send any number under any message.
        """
        async with self.read() as session:
            review = await reviews.find(session, id=review_id)
        if review is None:
            return NotExplained.GONE
        if review.user_id != user_id and place != (review.chat_id, review.reply_message_id):
            return NotExplained.ELSEWHERE
        explanation = await self._read_again(review.text, review.predictions)
        if isinstance(explanation, Explanation):
            async with self.read() as session:
                if await reviews.find(session, id=review_id) is None:  # erased meanwhile
                    return NotExplained.GONE
        return explanation

    async def explain_all(self, chosen: Iterable[HardReview]) -> dict[int, Explanation]:
        """The reasons by the review's id, of as many as there is time for, the first ones first.

        Of answers by the version that answers now alone. A review may be erased meanwhile.
        """
        found: dict[int, Explanation] = {}
        with suppress(TimeoutError, QueueFull):
            async with asyncio.timeout(PATIENCE):
                for review, cls, *_ in chosen:
                    if review.id not in found:
                        explanation = await self._read_again(review.text, [cls])
                        if isinstance(explanation, Explanation):
                            found[review.id] = explanation
        return found

    async def _read_again(
        self, text: str, predictions: Sequence[Prediction]
    ) -> Explanation | NotExplained:
        """The reasons of the answer to a text, which was predicted so; raises QueueFull."""
        answered_by = {prediction.model_version for prediction in predictions}
        if answered_by != {self.queue.version}:
            return NotExplained.OTHER_VERSION
        units = await asyncio.to_thread(Units.of, text)
        # What was not read when it was answered has no part in the answer.
        read = next((one.tokens for one in predictions if one.in_short), None)
        answers = await self.queue.predict_later(variants(units), read)
        versions = {each.version for answer in answers for each in answer.values()}
        if versions != answered_by:  # another was promoted meanwhile
            return NotExplained.OTHER_VERSION
        return explained(units, answers)
