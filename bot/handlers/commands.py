"""The commands for everybody."""

from datetime import timedelta

from telegram import InlineKeyboardMarkup, Update
from telegram.ext import ContextTypes

from bot.handlers.command import command_of
from bot.handlers.incoming import language_of, locale_of, message_of
from bot.handlers.replying import from_disk, send_file, topic_of
from bot.services.flood import Admission
from bot.services.services import Services
from bot.texts import conversation as phrases
from bot.texts.locale import Phrase
from bot.views.keyboards import forget_keyboard
from bot.views.review_answer import history

_MOST_TRIES = 3
"""An export is made so often where it can't be sent; then the user is told, and may ask again."""


class Commands:
    def __init__(self, services: Services) -> None:
        self._personal = services.personal
        self._limit = services.commands
        self._backups_kept = services.retention.backups.kept
        self._exports, self._erasures = services.exports, services.erasures
        self._tries: dict[int, int] = {}  # of exports that could not be sent, by update

    async def start(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        _message, user = message_of(update)
        if not await self._admitted(update):
            return
        await self._personal.seen(user.id, language_of(user))
        await self._say(update, phrases.START)

    async def help(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        message, _user = message_of(update)
        private = message.chat.type == message.chat.PRIVATE
        await self._say(update, phrases.HELP if private else phrases.HELP_GROUP)

    async def privacy(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        await self._say(update, phrases.PRIVACY, backups=self._backups_kept)

    async def history(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        _message, user = message_of(update)
        if not await self._admitted(update):
            return
        reviews = await self._personal.history(user.id)
        await self._reply(update, history(reviews, user.id, locale_of(update)))

    async def export(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        message, user = message_of(update)
        if not await self._admitted(update):
            return
        admission = await self._exports.admit(user.id, update.update_id, message.date)
        if admission is not Admission.ADMITTED:
            minutes = self._exports.window // timedelta(minutes=1)
            await self._say(update, phrases.EXPORT_LATER, minutes=minutes)
            return
        tries = self._tries[update.update_id] = self._tries.get(update.update_id, 0) + 1
        if tries <= _MOST_TRIES:
            await self._send_export(update, user.id)
        else:
            await self._say(update, phrases.EXPORT_FAILED)
        del self._tries[update.update_id]

    async def _send_export(self, update: Update, user_id: int) -> None:
        message, _user = message_of(update)
        locale = locale_of(update)
        async with self._personal.export(user_id) as files:
            for number, file in enumerate(files, 1):
                caption = locale(phrases.EXPORT_CAPTION)
                if len(files) > 1:
                    caption = locale(phrases.EXPORT_PART, number=number, of=len(files))
                place = {"chat_id": message.chat_id, **topic_of(message)}
                with file.open("rb") as content:
                    document = from_disk(content, file.name)
                    await send_file(message.get_bot(), document, caption, place)

    async def forget(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """Ask first; the tap on the answer erases."""
        message, user = message_of(update)
        if not await self._admitted(update):
            return
        if await self._personal.language(user.id) is not None:
            await self._say(update, phrases.FORGET_QUESTION, forget_keyboard(locale_of(update)))
        else:
            admission = await self._erasures.admit(user.id, update.update_id, message.date)
            if admission is Admission.ADMITTED:
                await self._personal.erase(user.id)  # handled updates still name the user
            await self._say(update, phrases.FORGOTTEN_NOTHING)

    async def rate(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """In a private chat /rate is not needed."""
        await self._say(update, phrases.RATE_EXPLAINED_PRIVATE)

    async def private_only(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """A personal command in a group: silence, unless the bot was named («/export@bot»)."""
        message, _user = message_of(update)
        if "@" in (command_of(message) or ""):
            await self._say(update, phrases.PRIVATE_ONLY)

    async def unknown(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        await self._say(update, phrases.UNKNOWN_COMMAND)

    async def _say(
        self,
        update: Update,
        phrase: Phrase,
        keyboard: InlineKeyboardMarkup | None = None,
        **values: object,
    ) -> None:
        await self._reply(update, locale_of(update)(phrase, **values), keyboard)

    async def _reply(
        self, update: Update, text: str, keyboard: InlineKeyboardMarkup | None = None
    ) -> None:
        message, _user = message_of(update)
        if await self._admitted(update):
            await message.reply_html(text, reply_markup=keyboard)

    async def _admitted(self, update: Update) -> bool:
        message, user = message_of(update)
        admission = await self._limit.admit(user.id, update.update_id, message.date)
        if admission is Admission.REFUSED:
            limit = self._limit.limit
            await message.reply_html(locale_of(update)(phrases.TOO_MANY, messages=limit))
        return admission is Admission.ADMITTED
