"""From a text to a stored review with both predictions, exactly once."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Never

from sqlalchemy.ext.asyncio import AsyncSession

from bot.delivery.inbox import Inbox
from bot.delivery.lease import LeaseLostError
from bot.prediction.queue import PredictionQueue, QueueFull
from bot.services.checking import Problem, ReviewText, check
from bot.services.feedback import FeedbackService
from classifier.labels import SENTIMENTS
from db import models as rows
from db import reviews, updates, users
from db.engine import Sessions
from db.models import Review

if TYPE_CHECKING:  # torch takes seconds to import
    from classifier.serving.predictor import Prediction


@dataclass(frozen=True)
class ReviewRequest:
    """A text to be predicted: from whom, and where."""

    update_id: int
    user_id: int
    language: str
    chat_id: int
    message_id: int
    sent_at: datetime  # or edited
    text: str
    source: str  # private, group, document or edit
    parts: tuple[int, ...] = ()  # updates that brought the rest of the text
    topic: Mapping[str, int] = field(default_factory=dict)  # as the answer is to name it
    replaces: int | None = None  # the review that this one is an edit of


@dataclass(frozen=True)
class Reviewing:
    write: Sessions
    read: Sessions
    queue: PredictionQueue
    inbox: Inbox
    feedback: FeedbackService

    async def find(self, update_id: int) -> Review | None:
        """The review of this update if it is stored already, perhaps before a kill."""
        if self.inbox.is_first(update_id):
            return None
        async with self.read() as session:
            return await reviews.find(session, update_id=update_id)

    async def of_message(self, chat_id: int, message_id: int) -> Review | None:
        """The newest review of a message."""
        async with self.read() as session:
            return await reviews.find(session, chat_id=chat_id, message_id=message_id)

    async def review(self, request: ReviewRequest) -> Review | Problem | None:
        """Predict and store; what is wrong with the text, or None for a user erased meanwhile.

        Raises LeaseLostError where it is another process's by now, NoModels while there are none.
        """
        checked = await asyncio.to_thread(check, request.text)
        if not isinstance(checked, ReviewText):
            return checked
        self.inbox.arrived(request.update_id)
        try:
            predictions = await self.queue.predict(checked.text, request.user_id)
        except QueueFull:
            return Problem.BUSY
        return await self._store(request, checked.text, list(predictions.values()))

    @property
    def has_models(self) -> bool:
        return bool(self.queue.version)

    async def is_any_held(self, user_id: int) -> bool:
        """Whether anything of this user waits for models."""
        async with self.read() as session:
            return await updates.is_any_held(session, user_id)

    async def hold(self, request: ReviewRequest) -> Never:
        """Keep a review until there are models; raises HeldError."""
        await self.inbox.hold([request.update_id, *request.parts])

    async def _store(
        self, request: ReviewRequest, text: str, predictions: "list[Prediction]"
    ) -> Review | None:
        now, draw = self.inbox.clock(), await self.feedback.draw()
        review = Review(
            user_id=request.user_id,
            chat_id=request.chat_id,
            message_id=request.message_id,
            update_id=request.update_id,
            text=text,
            source=request.source,
            reply_message_id=None,
            created_at=now,
            replaces_review_id=request.replaces,
            predictions=[_row(prediction, now) for prediction in predictions],
        )
        async with self.write.begin() as session:
            # A user who was erased during the prediction must not be stored again; and where the
            # lease has run out, another process may be about to store it.
            process = self.inbox.lease.process
            if not await updates.is_claimed(session, request.update_id, process):
                if await updates.is_pending(session, request.update_id):
                    raise LeaseLostError("another process stores it")
                return None
            await users.seen(session, request.user_id, request.language, now)
            review.asked_for = await self.feedback.asked_for(session, review, draw)
            if request.parts:
                await updates.mark_done(session, request.parts, now)
            if await reviews.add(session, review):
                return review
            return await reviews.find(session, update_id=request.update_id)

    async def move_chat(self, old: int, new: int) -> None:
        """Note that a group has become a supergroup, and so has another id."""
        async with self.write.begin() as session:
            await reviews.move_chat(session, old, new)

    def is_only_one(self, update_id: int) -> bool:
        """Whether it is known that the sender has nothing else waiting that came before."""
        return self.inbox.is_only_one(update_id)

    async def waiting(self, user_id: int) -> list[dict[str, Any]]:
        """The updates of a user that are still to be handled, as Telegram sent them."""
        async with self.read() as session:
            return await updates.pending_of(session, user_id)

    async def handled(self, update_ids: Sequence[int]) -> None:
        """Note that these updates are done, together: they are parts of one text."""
        await self.inbox.mark_done(update_ids)

    async def answered(self, review: Review, reply_message_id: int) -> None:
        """Note which message answers the review, and that its update is done.

        A kill between sending and this repeats the answer when the bot starts again: Telegram
        can't be asked whether a message was sent. At most one answer for each kill (except in
        groups, see bot/handlers/answering.py), and the review itself is stored once.
        """

        async def note(session: AsyncSession) -> None:
            await reviews.set_reply(session, review.id, reply_message_id)

        # Where the database is away, this waits for it: tried again, the answer would be repeated.
        await self.inbox.mark_done([review.update_id], note)


def _row(prediction: "Prediction", now: datetime) -> rows.Prediction:
    bad, neutral, good = map(_share, prediction.sentiment_probabilities)
    ratings, near = prediction.rating_probabilities, prediction.rating_confidence
    return rows.Prediction(
        pooling=prediction.pooling,
        model_version=prediction.version,
        sentiment=SENTIMENTS.index(prediction.sentiment),
        probability_bad=bad,
        probability_neutral=neutral,
        probability_good=good,
        rating=prediction.rating,
        rating_probabilities=None if ratings is None else list(ratings),
        rating_confidence=None if near is None else _share(near),
        milliseconds=prediction.milliseconds,
        tokens=prediction.tokens,
        in_short=prediction.in_short,
        created_at=now,
    )


def _share(probability: float) -> float:
    return min(max(probability, 0.0), 1.0)  # a sum of float32 may slightly exceed 1
