"""Messages without text in a private chat: a kind sentence says what to send instead."""

from telegram import Message, MessageOriginChannel, Update
from telegram.ext import ContextTypes, filters

from bot.handlers.answering import Answering
from bot.handlers.incoming import message_of, request_from
from bot.services.checking import ReviewText, check
from bot.services.flood import Admission, FloodLimit
from bot.texts import conversation as phrases
from bot.texts.locale import Phrase


class _FromChannel(filters.MessageFilter):
    """Posts forwarded from a channel."""

    def filter(self, message: Message) -> bool:
        return isinstance(message.forward_origin, MessageOriginChannel)


FROM_CHANNEL = _FromChannel()


class OtherKinds:
    def __init__(self, answering: Answering, albums: FloodLimit) -> None:
        self._answering = answering
        self._albums = albums

    async def channel_post(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        await self._decline(update, phrases.CHANNEL_POST)

    async def other(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """Anything else; its caption may be a review."""
        message, _user = message_of(update)
        caption = message.caption or ""
        if isinstance(check(caption), ReviewText):
            await self._speaks_for_album(update)  # the other pictures have nothing to add
            await self._answering.answer(request_from(update, caption, "private"))
        else:
            await self._decline(update, _sentence_for(message))

    async def _decline(self, update: Update, phrase: Phrase) -> None:
        if await self._speaks_for_album(update):
            await self._answering.decline(request_from(update, "", "private"), phrase)

    async def _speaks_for_album(self, update: Update) -> bool:
        """Whether this is the first message of its album: each picture comes as a message."""
        message, _user = message_of(update)
        album = message.media_group_id
        if album is None:
            return True
        admission = await self._albums.admit(album, update.update_id, message.date)
        return admission is Admission.ADMITTED


def _sentence_for(message: Message) -> Phrase:
    if message.sticker or message.dice or message.animation:
        return phrases.STICKER
    if message.photo:
        return phrases.PICTURE
    if message.voice or message.audio or message.video or message.video_note:
        return phrases.VOICE
    if message.document:
        return phrases.DOCUMENT_KIND
    return phrases.OTHER_KIND
