"""Taps on buttons."""

from telegram import CallbackQuery, InlineKeyboardMarkup, Update
from telegram.constants import ParseMode
from telegram.error import BadRequest
from telegram.ext import ContextTypes

from bot.answers import answer
from bot.keyboards import FORGET_NO, FORGET_YES, RatingTap, rating_keyboard, rating_tap
from bot.services.feedback import NotRated
from bot.services.services import Services
from bot.texts import Texts, texts_for

_STALE = "query is too old"
# The message shows that already, or it is gone, or too old to be changed: nothing to do.
_SETTLED = ("message is not modified", "message to edit not found", "message can't be edited")


class Taps:
    def __init__(self, services: Services) -> None:
        self._feedback = services.feedback
        self._personal = services.personal

    async def tapped(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        query = update.callback_query
        assert query is not None
        texts = texts_for(query.from_user.language_code)
        rating = rating_tap(query.data)
        if rating is not None:
            await self._rate(query, rating, texts)
        elif query.data == FORGET_YES:
            await self._erase(query, texts)
        elif query.data == FORGET_NO:
            await _toast(query)
            await _show(query, texts.kept)
        else:
            await _toast(query, texts.toast_old_button)

    async def _rate(self, query: CallbackQuery, tap: RatingTap, texts: Texts) -> None:
        # The toast says that it is stored, so that is done before; it takes milliseconds.
        rated = await self._feedback.rate(tap.review_id, query.from_user.id, tap.rating)
        if rated is NotRated.GONE:
            await _toast(query, texts.toast_gone)
        elif rated is NotRated.NOT_YOURS:
            await _toast(query, texts.toast_not_yours, alert=True)
        else:
            await _toast(query, texts.toast_rated.format(rating=rated.rating))
            keyboard = rating_keyboard(rated.review.id, rated.rating)
            await _show(query, answer(rated.review, texts, rated.rating), keyboard)

    async def _erase(self, query: CallbackQuery, texts: Texts) -> None:
        erased = await self._personal.erase(query.from_user.id)
        if erased is None:  # a second tap
            await _toast(query, texts.toast_already_forgotten)
            return
        await _toast(query)
        reviews, ratings = texts.reviews(erased["reviews"]), texts.ratings(erased["feedback"])
        await _show(query, texts.forgotten.format(reviews=reviews, ratings=ratings))


async def _toast(query: CallbackQuery, text: str | None = None, *, alert: bool = False) -> None:
    """Answer the query, which ends the button's waiting; Telegram takes no answer after a while."""
    try:
        await query.answer(text, alert)
    except BadRequest as error:
        if _STALE not in error.message.lower():
            raise


async def _show(
    query: CallbackQuery, text: str, keyboard: InlineKeyboardMarkup | None = None
) -> None:
    """Change the message under which the button is, as long as Telegram lets it be changed."""
    if query.message is None:
        return
    try:
        await query.get_bot().edit_message_text(
            text,
            query.message.chat.id,
            query.message.message_id,
            parse_mode=ParseMode.HTML,
            reply_markup=keyboard,
        )
    except BadRequest as error:
        if not any(settled in error.message.lower() for settled in _SETTLED):
            raise
