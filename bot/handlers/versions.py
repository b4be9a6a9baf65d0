"""/models: the versions, and which one answers."""

from html import escape

from telegram import CallbackQuery, InlineKeyboardMarkup, Update
from telegram.ext import ContextTypes

from bot.errors import BotError
from bot.handlers.admin_notices import send_decision
from bot.handlers.incoming import language_of, locale_of, message_of
from bot.handlers.once import Once
from bot.handlers.replying import place_of_tap, show, tell, toast
from bot.schedule import Schedule
from bot.services.retraining import RETRAINING
from bot.services.services import Services
from bot.texts import versions as phrases
from bot.texts.conversation import TOAST_OLD_BUTTON
from bot.texts.first_training import NO_VERSIONS
from bot.texts.locale import Locale
from bot.views.retraining import decision_message
from bot.views.versions import (
    confirmation_keyboard,
    confirmation_question,
    version_keyboard,
    version_list,
)
from classifier.errors import ClassifierError

TAPS = r"m:(?:no|(?:d|[pr]!?):[0-9TZa-f-]{1,40})"
"""What the buttons send: what to do, ! once it is confirmed, and with which version."""


class VersionsCommand:
    def __init__(self, services: Services, schedule: Schedule) -> None:
        self._versions = services.versions
        self._schedule = schedule
        self._once: Once[str] = Once()

    async def command(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        message, _user = message_of(update)
        if not self._versions.live.ready.is_set():
            await message.reply_html(locale_of(update)(NO_VERSIONS))
            return
        text, keyboard = await self._listed(locale_of(update))
        await message.reply_html(text, reply_markup=keyboard)

    async def tapped(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        query = update.callback_query
        assert query is not None
        locale = locale_of(update)
        what, _separator, name = (query.data or "").removeprefix("m:").partition(":")
        if what == "d":
            await self._send_decision(query, name, locale)
            return
        await toast(query)
        if what == "no":
            await show(query, *await self._listed(locale))
        elif what in ("p", "r"):
            versions = await self._versions.versions()
            question = confirmation_question(what, name, versions.champion, locale)
            await show(query, question, confirmation_keyboard(what, name, locale))
        else:
            said = await self._once.do(
                update.update_id, lambda: self._done(query, what, name, locale)
            )
            await tell(query, said)

    async def _listed(self, locale: Locale) -> tuple[str, InlineKeyboardMarkup | None]:
        versions = await self._versions.versions()
        next_times = self._schedule.next_times(RETRAINING)
        return version_list(versions, next_times, locale), version_keyboard(versions, locale)

    async def _send_decision(self, query: CallbackQuery, version: str, locale: Locale) -> None:
        run = await self._versions.decision_on(version)
        if run is None:
            await toast(query, locale(TOAST_OLD_BUTTON))
            return
        await toast(query)
        text = decision_message(run, locale)
        await send_decision(query.get_bot(), place_of_tap(query), run, text, locale)

    async def _done(self, query: CallbackQuery, what: str, name: str, locale: Locale) -> str:
        """Promote or roll back, and say how it went."""
        by = query.from_user.id, language_of(query.from_user)
        try:
            if what == "p!":
                await self._versions.promote(name, *by)
            elif not await self._versions.roll_back(name, *by):
                return locale(phrases.CHANGED)
        except (BotError, ClassifierError) as error:
            return locale(phrases.REFUSED, name=escape(name), reason=escape(str(error)))
        return locale(phrases.PROMOTED, name=escape(name))
