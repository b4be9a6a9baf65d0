"""Why the models answered as they did: read again when asked for, behind everybody's reviews."""

import asyncio
from dataclasses import dataclass
from enum import Enum, auto

from bot.prediction.queue import PredictionQueue
from classifier.explanation.reasons import Explanation, explained, variants
from classifier.explanation.units import Units
from db import reviews
from db.engine import Sessions

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
        answered_by = {prediction.model_version for prediction in review.predictions}
        if answered_by != {self.queue.version}:
            return NotExplained.OTHER_VERSION
        units = await asyncio.to_thread(Units.of, review.text)
        answers = await self.queue.predict_later(variants(units))
        versions = {each.version for answer in answers for each in answer.values()}
        if versions != answered_by:  # another was promoted meanwhile
            return NotExplained.OTHER_VERSION
        async with self.read() as session:
            if await reviews.find(session, id=review_id) is None:  # erased meanwhile
                return NotExplained.GONE
        return explained(units, answers)
