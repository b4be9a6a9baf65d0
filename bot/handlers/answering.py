"""The answer to one review: sent once, whatever happens in between."""

import asyncio
import logging
import time
from datetime import datetime
from weakref import WeakValueDictionary

from telegram import Bot, InlineKeyboardMarkup, Message, ReplyParameters
from telegram.constants import ParseMode

from bot.handlers.chat_action import Typing
from bot.services.flood import Admission
from bot.services.problems import Problem
from bot.services.reviewing import Asked
from bot.services.services import Services
from bot.texts.languages import texts_for
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

    async def answer(self, bot: Bot, asked: Asked, sent_at: datetime) -> None:
        """Predict, store, answer: from wherever an earlier try at this update was cut off."""
        started = time.perf_counter()
        review: Review | Problem | None = await self._reviewing.find(asked.update_id)
        if review is None:
            if not await self.admitted(bot, asked, sent_at):
                return
            async with self._typing.shown(bot, asked.chat_id):
                review = await self._reviewing.review(asked)
        if isinstance(review, Problem):
            await self._decline(bot, asked, sent_at, review)
        elif review is not None and review.reply_message_id is None:
            await self._send(bot, asked, review)
            seconds = time.perf_counter() - started
            self._metrics.answered(seconds)
            ids = {"update_id": review.update_id, "review_id": review.id}
            logger.info("review answered", extra={**ids, "milliseconds": round(1000 * seconds)})

    async def admitted(self, bot: Bot, asked: Asked, sent_at: datetime) -> bool:
        """Whether the user keeps to the limit; one who doesn't is told so once."""
        admission = self._messages.admit(asked.user_id, asked.update_id, sent_at)
        if admission is Admission.REFUSED:
            texts = texts_for(asked.language)
            limit = texts.messages(self._messages.per_minute)
            await say(bot, asked, texts.too_many.format(messages=limit))
        return admission is Admission.ADMITTED

    async def _decline(self, bot: Bot, asked: Asked, sent_at: datetime, problem: Problem) -> None:
        if problem is Problem.BUSY:
            refusal = self._messages.refuse(asked.user_id, sent_at)
            if refusal is Admission.SILENT:
                return
        logger.info("review declined", extra={"update_id": asked.update_id, "why": problem.name})
        await say(bot, asked, texts_for(asked.language).problem(problem))

    async def _send(self, bot: Bot, asked: Asked, review: Review) -> None:
        # After a kill, the answer that was not noted down may have been rated already.
        rating = rating_of(review, asked.user_id)
        text = answer(review, texts_for(asked.language), rating)
        async with self._one_at_a_time(asked.chat_id):
            sent = await say(bot, asked, text, rating_keyboard(review.id, rating))
            await self._reviewing.answered(review, sent.message_id)

    def _one_at_a_time(self, chat_id: int) -> asyncio.Lock:
        """A kill between the sending and the noting repeats an answer: let it be one at most.

        All private chats take turns, and those of each group among themselves: Telegram takes 20
        messages a minute from a bot in a group, and nobody else is to wait for that.
        """
        return self._sending.setdefault(min(chat_id, 0), asyncio.Lock())


async def say(
    bot: Bot, asked: Asked, text: str, keyboard: InlineKeyboardMarkup | None = None
) -> Message:
    """Reply to the message that asked, or just write if it was deleted meanwhile."""
    return await bot.send_message(
        asked.chat_id,
        text,
        ParseMode.HTML,
        reply_markup=keyboard,
        reply_parameters=ReplyParameters(asked.message_id, allow_sending_without_reply=True),
    )
