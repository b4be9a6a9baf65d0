"""What is no text, in a private chat: a kind sentence that says what to send instead."""

from collections import OrderedDict

from telegram import Message, Update
from telegram.ext import ContextTypes

from bot.handlers.answering import Answering, say
from bot.handlers.asking import asked, message_of
from bot.services.checking import ReviewText, check
from bot.texts import Texts, texts_for

_ALBUMS = 1_000  # remembered


class OtherKinds:
    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._albums: OrderedDict[str, None] = OrderedDict()

    async def channel_post(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        _message, user = message_of(update)
        await self._say(update, context, texts_for(user.language_code).channel_post)

    async def other(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Anything else; its caption may be a review."""
        message, user = message_of(update)
        caption = message.caption or ""
        if isinstance(check(caption), ReviewText):
            asking = asked(update, caption, "private")
            await self._answering.answer(context.bot, asking, message.date)
        else:
            await self._say(update, context, _said(message, texts_for(user.language_code)))

    async def _say(self, update: Update, context: ContextTypes.DEFAULT_TYPE, text: str) -> None:
        message, _user = message_of(update)
        asking = asked(update, "", "private")
        if self._is_new(message.media_group_id) and await self._answering.admitted(
            context.bot, asking, message.date
        ):
            await say(context.bot, asking, text)

    def _is_new(self, album: str | None) -> bool:
        """Whether no picture of this album was answered yet: they come as a message each."""
        if album is None:
            return True
        if album in self._albums:
            return False
        self._albums[album] = None
        if len(self._albums) > _ALBUMS:
            self._albums.popitem(last=False)
        return True


def _said(message: Message, texts: Texts) -> str:
    if message.sticker or message.dice or message.animation:
        return texts.sticker
    if message.photo:
        return texts.picture
    if message.voice or message.audio or message.video or message.video_note:
        return texts.voice
    if message.document:
        return texts.document_kind
    return texts.other_kind
