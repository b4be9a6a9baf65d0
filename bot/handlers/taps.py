"""Taps on buttons."""

from datetime import timedelta
from typing import Any

from telegram import Bot, CallbackQuery, MaybeInaccessibleMessage, Update
from telegram.error import RetryAfter
from telegram.ext import ContextTypes

from bot.delivery.raw_updates import RawUpdate, UnreadableError, read
from bot.handlers.incoming import locale_of
from bot.handlers.replying import insist, is_button, show, tell, tell_beside, toast
from bot.prediction.queue import QueueFull
from bot.services.explaining import NotExplained
from bot.services.feedback import NotRated
from bot.services.flood import Admission
from bot.services.services import Services
from bot.texts import conversation as phrases
from bot.texts import reasons
from bot.texts.locale import Locale
from bot.views.keyboards import (
    FORGET_NO,
    FORGET_YES,
    RatingTap,
    answer_keyboard,
    rating_tap,
    why_tap,
)
from bot.views.reasons import reasons_message
from bot.views.review_answer import answer
from db.models import Review

_WHY_NOT = {
    NotExplained.GONE: phrases.TOAST_GONE,
    NotExplained.ELSEWHERE: reasons.TOAST_ELSEWHERE,
    NotExplained.OTHER_VERSION: reasons.TOAST_OTHER_VERSION,
}


class Taps:
    def __init__(self, services: Services) -> None:
        self._feedback = services.feedback
        self._explaining = services.explaining
        self._personal = services.personal
        self._reviewing = services.reviewing
        self._limits = services.taps, services.erasures, services.commands
        self._clock = services.clock

    async def tapped(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """Do what the button says, unless a later tap on the message has come meanwhile."""
        query = update.callback_query
        assert query is not None
        if not await self._is_last(update.update_id, query):
            return
        locale = locale_of(update)
        await self._admit(query, update.update_id, locale)
        await self._do(query, locale)

    async def _is_last(self, update_id: int, query: CallbackQuery) -> bool:
        """Whether no later tap on the message has come; those before the last are done then."""
        if query.message is None:
            return True
        # By Telegram's numbers: two processes that receive them may have different clocks.
        taps = sorted(
            each["update_id"]
            for each in await self._reviewing.waiting(query.from_user.id)
            if _place_of_tap(each, query.get_bot()) == _place(query)
        )
        if len(taps) > 1:
            await self._reviewing.handled(taps[:-1])
        return update_id in taps[-1:]

    async def _admit(self, query: CallbackQuery, update_id: int, locale: Locale) -> None:
        """Raises RetryAfter for one tap too many: the last one on each message counts later."""
        ratings, erasures, others = self._limits
        if rating_tap(query.data):
            limit = ratings
        else:
            limit = erasures if query.data == FORGET_YES else others
        # Telegram does not say when a tap was made.
        admission = await limit.admit(query.from_user.id, update_id, self._clock())
        if admission is Admission.REFUSED:
            minutes = max(1, limit.window // timedelta(minutes=1))
            await toast(query, locale(phrases.TOAST_TOO_MANY, minutes=minutes), alert=True)
        if admission is not Admission.ADMITTED:
            raise RetryAfter(limit.window)

    async def _do(self, query: CallbackQuery, locale: Locale) -> None:
        rating = rating_tap(query.data)
        if rating is not None:
            await self._rate(query, rating, locale)
        elif (review_id := why_tap(query.data)) is not None:
            await self._explain(query, review_id, locale)
        elif query.data == FORGET_YES and _is_own_chat(query):
            await self._erase(query, locale)
        elif query.data == FORGET_NO and _is_own_chat(query):
            await toast(query)
            await _say(query, locale(phrases.KEPT))
        else:
            await toast(query, locale(phrases.TOAST_OLD_BUTTON))

    async def _rate(self, query: CallbackQuery, tap: RatingTap, locale: Locale) -> None:
        # Store it before the toast says that it is stored: it takes milliseconds.
        rated = await self._feedback.rate(tap.review_id, query.from_user.id, tap.rating)
        if rated is NotRated.GONE:
            await toast(query, locale(phrases.TOAST_GONE))
        elif rated is NotRated.NOT_YOURS:
            await toast(query, locale(phrases.TOAST_NOT_YOURS), alert=True)
        else:
            await toast(query, locale(phrases.TOAST_RATED, rating=rated.rating))
            if is_button(query) or _answers(query.message, rated.review):
                keyboard = answer_keyboard(rated.review.id, locale, rated.rating)
                await show(query, answer(rated.review, locale, rated.rating), keyboard)

    async def _explain(self, query: CallbackQuery, review_id: int, locale: Locale) -> None:
        try:
            explained = await self._explaining.explain(review_id, query.from_user.id, _place(query))
        except QueueFull:
            await toast(query, locale(reasons.TOAST_BUSY), alert=True)
            return
        if isinstance(explained, NotExplained):
            await toast(query, locale(_WHY_NOT[explained]), alert=True)
            return
        await toast(query)
        await tell_beside(query, reasons_message(explained, locale))

    async def _erase(self, query: CallbackQuery, locale: Locale) -> None:
        erased = await self._personal.erase(query.from_user.id)
        if erased is None:  # a second tap
            await toast(query, locale(phrases.TOAST_ALREADY_FORGOTTEN))
            return
        counts = {"reviews": erased["reviews"], "ratings": erased["feedback"]}
        # This update is erased too: the inbox won't have it handled again.
        await insist(lambda: toast(query))
        await insist(lambda: _say(query, locale(phrases.FORGOTTEN, **counts)))


async def _say(query: CallbackQuery, text: str) -> None:
    """Instead of the question, or in a message of its own if the tap was under another one."""
    await (tell if is_button(query) else tell_beside)(query, text)


def _answers(message: MaybeInaccessibleMessage | None, review: Review) -> bool:
    """Whether the message is the answer to the review; its buttons may not be shown any more."""
    place = (review.chat_id, review.reply_message_id)
    return message is not None and (message.chat.id, message.message_id) == place


def _is_own_chat(query: CallbackQuery) -> bool:
    """Whether the tap was in the private chat of whoever tapped, where /forget asks."""
    return query.message is not None and query.message.chat.id == query.from_user.id


def _place(query: CallbackQuery) -> tuple[int, int] | None:
    """The chat and the message that a tap was made on; a message in inline mode has neither."""
    return (query.message.chat.id, query.message.message_id) if query.message else None


def _place_of_tap(payload: dict[str, Any], bot: Bot) -> tuple[int, int] | None:
    """As `_place`, of an update in the inbox; also None where it is no tap."""
    if "callback_query" not in payload:
        return None
    try:
        query = read(RawUpdate(payload["update_id"], payload), bot).callback_query
    except UnreadableError:
        return None  # skipped when its turn comes
    return _place(query) if query else None
