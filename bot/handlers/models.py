"""/models: the versions, and which one answers."""

from html import escape

from telegram import CallbackQuery, InlineKeyboardMarkup, Update
from telegram.ext import ContextTypes

from bot.errors import BotError
from bot.handlers.asking import message_of
from bot.handlers.decisions import send_decision
from bot.handlers.replying import show, toast
from bot.services.services import Services
from bot.texts.languages import texts_for
from bot.texts.models import ModelTexts, model_texts_for
from bot.texts.retraining import retraining_texts_for
from bot.views.retraining import decision_message
from bot.views.versions import confirmation_keyboard, version_keyboard, version_list
from classifier.errors import ClassifierError

TAPS = r"m:(?:no|(?:d|[pr]!?):[0-9TZa-f-]{1,40})"
"""What the buttons send: what to do, ! once it is confirmed, and with which version."""


class ModelVersions:
    def __init__(self, services: Services) -> None:
        self._versions = services.versions

    async def command(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        message, user = message_of(update)
        texts = model_texts_for(user.language_code)
        text, keyboard = await self._listed(texts)
        await message.reply_html(text, reply_markup=keyboard)

    async def tapped(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        query = update.callback_query
        assert query is not None
        texts = model_texts_for(query.from_user.language_code)
        what, _separator, name = (query.data or "").removeprefix("m:").partition(":")
        if what == "d":
            await self._send_decision(query, name)
            return
        await toast(query)
        if what == "no":
            await show(query, *await self._listed(texts))
        elif what in ("p", "r"):
            versions = await self._versions.versions()
            question = texts.ask_promote if what == "p" else texts.ask_roll_back
            sure = question.format(name=escape(name), champion=versions.champion or texts.nobody)
            await show(query, sure, confirmation_keyboard(what, name, texts))
        else:
            await show(query, await self._done(query, what, name, texts))

    async def _listed(self, texts: ModelTexts) -> tuple[str, InlineKeyboardMarkup | None]:
        versions, statuses = await self._versions.versions(), await self._versions.statuses()
        return version_list(versions, statuses, texts), version_keyboard(versions, statuses, texts)

    async def _send_decision(self, query: CallbackQuery, version: str) -> None:
        language = query.from_user.language_code
        run = await self._versions.decision_on(version)
        if run is None:
            await toast(query, texts_for(language).toast_old_button)
            return
        await toast(query)
        text = decision_message(run, texts_for(language), retraining_texts_for(language))
        await send_decision(query.get_bot(), query.from_user.id, run, text, language)

    async def _done(self, query: CallbackQuery, what: str, name: str, texts: ModelTexts) -> str:
        """What became of it."""
        by = query.from_user.id, query.from_user.language_code or "ru"
        try:
            if what == "p!":
                await self._versions.promote(name, *by)
            elif not await self._versions.roll_back(name, *by):
                return texts.changed
        except (BotError, ClassifierError) as error:
            return texts.refused.format(name=escape(name), reason=escape(str(error)))
        return texts.promoted.format(name=escape(name))
