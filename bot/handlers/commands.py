"""The commands."""

from telegram import InlineKeyboardMarkup, InputFile, Update
from telegram.ext import ContextTypes

from bot.handlers.asking import message_of
from bot.services.flood import Admission
from bot.services.services import Services
from bot.texts.languages import texts_for
from bot.texts.texts import Texts
from bot.views.keyboards import forget_keyboard
from bot.views.review_answer import history


class Commands:
    def __init__(self, services: Services) -> None:
        self._personal = services.personal
        self._limit = services.commands

    async def start(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        _message, user = message_of(update)
        await self._personal.seen(user.id, user.language_code or "ru")
        await self._reply(update, texts_for(user.language_code).start)

    async def help(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        message, user = message_of(update)
        texts = texts_for(user.language_code)
        private = message.chat.type == message.chat.PRIVATE
        await self._reply(update, texts.help if private else texts.help_group)

    async def privacy(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        await self._reply(update, _texts(update).privacy)

    async def history(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        _message, user = message_of(update)
        reviews = await self._personal.history(user.id)
        await self._reply(update, history(reviews, user.id, _texts(update)))

    async def export(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        message, user = message_of(update)
        if not await self._admitted(update):
            return
        everything = await self._personal.export(user.id)
        file = InputFile(everything, filename=f"kinorate-{user.id}.json")
        await message.reply_document(file, caption=_texts(update).export_caption)

    async def forget(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """Ask first; the tap on the answer erases."""
        _message, user = message_of(update)
        texts = _texts(update)
        if await self._personal.language(user.id) is not None:
            await self._reply(update, texts.forget_question, forget_keyboard(texts))
        else:
            await self._personal.erase(user.id)  # whose the updates were that are dealt with
            await self._reply(update, texts.forgotten_nothing)

    async def rate(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """In a private chat /rate is not needed."""
        await self._reply(update, _texts(update).rate_explained_private)

    async def private_only(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """A personal command in a group: silence, unless the bot was named («/export@bot»)."""
        message, _user = message_of(update)
        command = (message.text or "").split(maxsplit=1)[0]
        if "@" in command:
            await self._reply(update, _texts(update).private_only)

    async def unknown(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        await self._reply(update, _texts(update).unknown_command)

    async def _reply(
        self, update: Update, text: str, keyboard: InlineKeyboardMarkup | None = None
    ) -> None:
        message, _user = message_of(update)
        if await self._admitted(update):
            await message.reply_html(text, reply_markup=keyboard)

    async def _admitted(self, update: Update) -> bool:
        message, user = message_of(update)
        admission = self._limit.admit(user.id, update.update_id, message.date)
        if admission is Admission.REFUSED:
            texts = texts_for(user.language_code)
            limit = texts.messages(self._limit.per_minute)
            await message.reply_html(texts.too_many.format(messages=limit))
        return admission is Admission.ADMITTED


def _texts(update: Update) -> Texts:
    _message, user = message_of(update)
    return texts_for(user.language_code)
