"""/models: the versions, and which one answers."""

from html import escape

from telegram import CallbackQuery, Update
from telegram.ext import ContextTypes

from bot.errors import BotError
from bot.handlers.asking import message_of
from bot.handlers.replying import show, toast
from bot.services.services import Services
from bot.texts.models import ModelTexts, model_texts_for
from bot.version_list import confirmation_keyboard, version_keyboard, version_list
from classifier.errors import ClassifierError

TAPS = r"m:(?:no|[pr]!?:[0-9TZa-f-]{1,40})"
"""What the buttons send: what to do, ! once it is confirmed, and with which version."""


class ModelVersions:
    def __init__(self, services: Services) -> None:
        self._models = services.models

    async def command(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        message, user = message_of(update)
        texts = model_texts_for(user.language_code)
        versions = await self._models.versions()
        text, keyboard = version_list(versions, texts), version_keyboard(versions, texts)
        await message.reply_html(text, reply_markup=keyboard)

    async def tapped(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        query = update.callback_query
        assert query is not None
        await toast(query)
        texts = model_texts_for(query.from_user.language_code)
        what, _separator, name = (query.data or "").removeprefix("m:").partition(":")
        if what == "no":
            versions = await self._models.versions()
            await show(query, version_list(versions, texts), version_keyboard(versions, texts))
        elif what in ("p", "r"):
            versions = await self._models.versions()
            question = texts.ask_promote if what == "p" else texts.ask_roll_back
            asked = question.format(name=escape(name), champion=versions.champion or texts.nobody)
            await show(query, asked, confirmation_keyboard(what, name, texts))
        else:
            await show(query, await self._done(query, what, name, texts))

    async def _done(self, query: CallbackQuery, what: str, name: str, texts: ModelTexts) -> str:
        """What became of it."""
        by = query.from_user.id, query.from_user.language_code or "ru"
        try:
            if what == "p!":
                await self._models.promote(name, *by)
            elif not await self._models.roll_back(name, *by):
                return texts.changed
        except (BotError, ClassifierError) as error:
            return texts.refused.format(name=escape(name), reason=escape(str(error)))
        return texts.promoted.format(name=escape(name))
