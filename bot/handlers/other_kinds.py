"""Messages without text in a private chat: a kind sentence says what to send instead."""

from telegram import Message, MessageOriginChannel, Update
from telegram.ext import ContextTypes, filters

from bot.handlers.answering import Answering
from bot.handlers.incoming import message_of, request_from
from bot.services.checking import ReviewText, check
from bot.texts import conversation as phrases
from bot.texts.locale import Phrase

_MOST_ALBUMS = 1_000  # remembered


class _FromChannel(filters.MessageFilter):
    """Posts forwarded from a channel."""

    def filter(self, message: Message) -> bool:
        return isinstance(message.forward_origin, MessageOriginChannel)


FROM_CHANNEL = _FromChannel()


class OtherKinds:
    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._albums: dict[str, int] = {}  # each with the update that was answered

    async def channel_post(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        await self._decline(update, phrases.CHANNEL_POST)

    async def other(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """Anything else; its caption may be a review."""
        message, _user = message_of(update)
        caption = message.caption or ""
        if isinstance(check(caption), ReviewText):
            self._speaks_for_album(update)  # the other pictures have nothing to add
            await self._answering.answer(request_from(update, caption, "private"))
        else:
            await self._decline(update, _sentence_for(message))

    async def _decline(self, update: Update, phrase: Phrase) -> None:
        if self._speaks_for_album(update):
            await self._answering.decline(request_from(update, "", "private"), phrase)

    def _speaks_for_album(self, update: Update) -> bool:
        """Whether this is the first message of its album: each picture comes as a message."""
        message, _user = message_of(update)
        if message.media_group_id is None:
            return True
        if len(self._albums) >= _MOST_ALBUMS:
            del self._albums[next(iter(self._albums))]
        first = self._albums.setdefault(message.media_group_id, update.update_id)
        return first == update.update_id


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
