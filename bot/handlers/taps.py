"""Taps on buttons."""

from telegram import CallbackQuery, Update
from telegram.ext import ContextTypes

from bot.handlers.replying import show, toast
from bot.services.feedback import NotRated
from bot.services.services import Services
from bot.texts.languages import texts_for
from bot.texts.texts import Texts
from bot.views.keyboards import FORGET_NO, FORGET_YES, RatingTap, rating_keyboard, rating_tap
from bot.views.review_answer import answer


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
            await toast(query)
            await show(query, texts.kept)
        else:
            await toast(query, texts.toast_old_button)

    async def _rate(self, query: CallbackQuery, tap: RatingTap, texts: Texts) -> None:
        # The toast says that it is stored, so that is done before; it takes milliseconds.
        rated = await self._feedback.rate(tap.review_id, query.from_user.id, tap.rating)
        if rated is NotRated.GONE:
            await toast(query, texts.toast_gone)
        elif rated is NotRated.NOT_YOURS:
            await toast(query, texts.toast_not_yours, alert=True)
        else:
            await toast(query, texts.toast_rated.format(rating=rated.rating))
            keyboard = rating_keyboard(rated.review.id, rated.rating)
            await show(query, answer(rated.review, texts, rated.rating), keyboard)

    async def _erase(self, query: CallbackQuery, texts: Texts) -> None:
        erased = await self._personal.erase(query.from_user.id)
        if erased is None:  # a second tap
            await toast(query, texts.toast_already_forgotten)
            return
        await toast(query)
        reviews, ratings = texts.reviews(erased["reviews"]), texts.ratings(erased["feedback"])
        await show(query, texts.forgotten.format(reviews=reviews, ratings=ratings))
