"""Taps on buttons."""

from telegram import CallbackQuery, MaybeInaccessibleMessage, Update
from telegram.ext import ContextTypes

from bot.handlers.incoming import locale_of
from bot.handlers.replying import is_button, show, tell, tell_beside, toast
from bot.services.feedback import NotRated
from bot.services.services import Services
from bot.texts import conversation as phrases
from bot.texts.locale import Locale
from bot.views.keyboards import FORGET_NO, FORGET_YES, RatingTap, rating_keyboard, rating_tap
from bot.views.review_answer import answer
from db.models import Review


class Taps:
    def __init__(self, services: Services) -> None:
        self._feedback = services.feedback
        self._personal = services.personal

    async def tapped(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        query = update.callback_query
        assert query is not None
        locale = locale_of(update)
        rating = rating_tap(query.data)
        if rating is not None:
            await self._rate(query, rating, locale)
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
                keyboard = rating_keyboard(rated.review.id, rated.rating)
                await show(query, answer(rated.review, locale, rated.rating), keyboard)

    async def _erase(self, query: CallbackQuery, locale: Locale) -> None:
        erased = await self._personal.erase(query.from_user.id)
        if erased is None:  # a second tap
            await toast(query, locale(phrases.TOAST_ALREADY_FORGOTTEN))
            return
        await toast(query)
        counts = {"reviews": erased["reviews"], "ratings": erased["feedback"]}
        await _say(query, locale(phrases.FORGOTTEN, **counts))


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
