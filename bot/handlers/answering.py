"""The answer to one review: sent once, whatever happens in between."""

import asyncio
import logging
import time
from datetime import datetime
from weakref import WeakValueDictionary

from telegram import Bot

from bot.handlers.chat_action import Typing
from bot.handlers.replying import say
from bot.services.checking import Problem
from bot.services.flood import Admission
from bot.services.reviewing import ReviewRequest
from bot.services.services import Services
from bot.texts import conversation as phrases
from bot.texts.locale import locale_for
from bot.views.keyboards import rating_keyboard
from bot.views.review_answer import answer, rating_of
from db.models import Review

logger = logging.getLogger(__name__)


class Answering:
    def __init__(self, services: Services) -> None:
        self._reviewing = services.reviewing
        self._messages = services.messages
        self._metrics = services.metrics
        self._typing = Typing()
        self._sending: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def answer(self, bot: Bot, request: ReviewRequest, sent_at: datetime) -> None:
        """Predict, store, answer: from wherever an earlier try at this update was cut off."""
        started = time.perf_counter()
        review: Review | Problem | None = await self._reviewing.find(request.update_id)
        if review is None:
            if not await self.admitted(bot, request, sent_at):
                return
            async with self._typing.shown(bot, request.chat_id):
                review = await self._reviewing.review(request)
        if isinstance(review, Problem):
            await self._decline(bot, request, sent_at, review)
        elif review is not None and review.reply_message_id is None:
            await self._send(bot, request, review)
            seconds = time.perf_counter() - started
            self._metrics.answered(seconds)
            ids = {"update_id": review.update_id, "review_id": review.id}
            logger.info("review answered", extra={**ids, "milliseconds": round(1000 * seconds)})

    async def admitted(self, bot: Bot, request: ReviewRequest, sent_at: datetime) -> bool:
        """Whether the user keeps to the limit; one who doesn't is told so once."""
        admission = self._messages.admit(request.user_id, request.update_id, sent_at)
        if admission is Admission.REFUSED:
            limit = self._messages.per_minute
            await say(bot, request, locale_for(request.language)(phrases.TOO_MANY, messages=limit))
        return admission is Admission.ADMITTED

    async def _decline(
        self, bot: Bot, request: ReviewRequest, sent_at: datetime, problem: Problem
    ) -> None:
        if problem is Problem.BUSY:
            refusal = self._messages.refuse(request.user_id, sent_at)
            if refusal is Admission.SILENT:
                return
        logger.info("review declined", extra={"update_id": request.update_id, "why": problem.name})
        await say(bot, request, locale_for(request.language)(phrases.PROBLEMS[problem]))

    async def _send(self, bot: Bot, request: ReviewRequest, review: Review) -> None:
        # After a kill, the answer that was not noted down may have been rated already.
        rating = rating_of(review, request.user_id)
        text = answer(review, locale_for(request.language), rating)
        async with self._one_at_a_time(request.chat_id):
            sent = await say(bot, request, text, rating_keyboard(review.id, rating))
            await self._reviewing.answered(review, sent.message_id)

    def _one_at_a_time(self, chat_id: int) -> asyncio.Lock:
        """A kill between the sending and the noting repeats an answer: let it be one at most.

        All private chats take turns, and those of each group among themselves: Telegram takes 20
        messages a minute from a bot in a group, and nobody else is to wait for that.
        """
        return self._sending.setdefault(min(chat_id, 0), asyncio.Lock())
