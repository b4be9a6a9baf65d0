"""Answers a review request once, whatever happens in between."""

import asyncio
import logging
import time
from typing import Any, Never
from weakref import WeakValueDictionary

from telegram import InlineKeyboardMarkup, Message, ReplyParameters
from telegram.constants import ParseMode
from telegram.ext import ExtBot

from bot.delivery.outgoing import RESERVED, Outgoing
from bot.handlers.chat_action import Typing
from bot.prediction.queue import NoModels
from bot.services.checking import Problem
from bot.services.flood import Admission
from bot.services.reviewing import ReviewRequest
from bot.services.services import Services
from bot.services.turns import Turns
from bot.texts import conversation as phrases
from bot.texts.locale import Phrase, locale_for
from bot.views.keyboards import answer_keyboard
from bot.views.review_answer import answer, rating_of
from db.models import Review

logger = logging.getLogger(__name__)


class Answering:
    def __init__(self, services: Services, bot: ExtBot[Any]) -> None:
        self._bot = bot
        self._reviewing = services.reviewing
        self._messages = services.messages
        self._metrics = services.metrics
        self._typing = Typing(bot)
        self._holding = Turns()
        self._sending: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def answer(self, request: ReviewRequest) -> None:
        """Predict, store and answer, from where an earlier attempt at this update stopped.

        While there are no models, the review is held for them.
        """
        started = time.perf_counter()
        review: Review | Problem | None = await self._reviewing.find(request.update_id)
        if review is None:
            if not await self.admitted(request):
                return
            try:
                async with self._typing.shown(request.chat_id):
                    review = await self._reviewing.review(request)
            except NoModels:
                await self._hold(request)
        if isinstance(review, Problem):
            await self._decline_for(request, review)
        elif review is not None and review.reply_message_id is None:
            await self._send(request, review)
            seconds = time.perf_counter() - started
            self._metrics.answered(seconds)
            ids = {"update_id": review.update_id, "review_id": review.id}
            logger.info("review answered", extra={**ids, "milliseconds": round(1000 * seconds)})

    async def admitted(self, request: ReviewRequest) -> bool:
        """Whether the user is within the limit; one who is not is told so once."""
        if self._reviewing.inbox.was_held(request.update_id):
            return True
        admission = await self._messages.admit(request.user_id, request.update_id, request.sent_at)
        if admission is Admission.REFUSED:
            await self._say(request, phrases.TOO_MANY, messages=self._messages.limit)
        return admission is Admission.ADMITTED

    async def decline(self, request: ReviewRequest, phrase: Phrase) -> None:
        """Say why the request gets no prediction, if the user is within the limit."""
        if await self.admitted(request):
            await self._say(request, phrase)

    async def _decline_for(self, request: ReviewRequest, problem: Problem) -> None:
        if problem is Problem.BUSY:
            refusal = await self._messages.refuse(request.user_id, request.sent_at)
            if refusal is Admission.SILENT:
                return
        logger.info("review declined", extra={"update_id": request.update_id, "why": problem.name})
        await self._say(request, phrases.PROBLEMS[problem])

    async def _hold(self, request: ReviewRequest) -> Never:
        async with self._holding.of_message(request.user_id, 0):  # who sends much is told once
            is_told = await self._reviewing.is_any_held(request.user_id)
            if not is_told and not self._reviewing.has_models:
                await self._say(request, phrases.NO_MODELS)
            await self._reviewing.hold(request)

    async def _send(self, request: ReviewRequest, review: Review) -> None:
        # An answer sent but not recorded before a kill may have been rated already.
        rating = rating_of(review, request.user_id)
        locale = locale_for(request.language)
        text = answer(review, locale, rating)
        keyboard = answer_keyboard(review.id, locale, rating)
        # Here, not below: while one waits to be sent, no other is. Nor for its chat's turn.
        if isinstance(limiter := self._bot.rate_limiter, Outgoing):
            await limiter.reserve()
        async with self._one_at_a_time(request.chat_id):
            sent = await self._reply(request, text, keyboard, rate_limit_args=RESERVED)
            await self._reviewing.answered(review, sent.message_id)

    async def _say(self, request: ReviewRequest, phrase: Phrase, **values: object) -> None:
        await self._reply(request, locale_for(request.language)(phrase, **values))

    async def _reply(
        self,
        request: ReviewRequest,
        text: str,
        keyboard: InlineKeyboardMarkup | None = None,
        rate_limit_args: str | None = None,
    ) -> Message:
        """Reply to the message that asked, or just write if it was deleted meanwhile."""
        return await self._bot.send_message(
            request.chat_id,
            text,
            ParseMode.HTML,
            reply_markup=keyboard,
            reply_parameters=ReplyParameters(request.message_id, allow_sending_without_reply=True),
            rate_limit_args=rate_limit_args,
            **request.topic,  # type: ignore[arg-type]
        )

    def _one_at_a_time(self, chat_id: int) -> asyncio.Lock:
        """A kill after sending and before recording repeats an answer: so one is sent at a time.

        Private chats share a lock, and each group has its own: Telegram takes 20 messages a minute
        from a bot in a group, and nobody else must wait for that.
        """
        return self._sending.setdefault(min(chat_id, 0), asyncio.Lock())
