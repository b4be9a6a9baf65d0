"""What an update brings: the message, who wrote it in which language, the text to be rated."""

import re
from collections.abc import Iterable

from telegram import Message, MessageEntity, Update, User

from bot.handlers.replying import topic_of
from bot.services.reviewing import ReviewRequest
from bot.texts.locale import Locale, locale_for


def message_of(update: Update) -> tuple[Message, User]:
    """The message, new or edited, and who wrote it; handlers are added for such updates only."""
    message = update.message or update.edited_message
    assert message is not None
    assert message.from_user is not None
    return message, message.from_user


def language_of(user: User) -> str:
    """The language that the user's Telegram speaks, if that can be one."""
    code = user.language_code or ""
    return code if re.fullmatch(r"[A-Za-z0-9_-]{1,35}", code) else "ru"


def locale_of(update: Update) -> Locale:
    """The locale of whoever wrote, or tapped."""
    return locale_for(update.effective_user.language_code if update.effective_user else None)


def request_from(update: Update, text: str, source: str) -> ReviewRequest:
    """The text as a review to predict, sent with the message of this update."""
    message, user = message_of(update)
    return ReviewRequest(
        update_id=update.update_id,
        user_id=user.id,
        language=language_of(user),
        chat_id=message.chat_id,
        message_id=message.message_id,
        sent_at=message.edit_date or message.date,
        text=text,
        source=source,
        topic=topic_of(message),
    )


def text_of(message: Message) -> str:
    """The text, or the caption of whatever it is."""
    return message.text or message.caption or ""


def is_mention(entity: MessageEntity, text: str, bot: User) -> bool:
    """Whether this entity, which covers `text`, mentions the bot."""
    if entity.type == MessageEntity.TEXT_MENTION:
        return entity.user is not None and entity.user.id == bot.id
    named = f"@{bot.username}".casefold()
    return entity.type == MessageEntity.MENTION and text.casefold() == named


def entities_of(message: Message) -> dict[MessageEntity, str]:
    """The entities of the text or the caption, each with the text it covers."""
    return message.parse_entities() if message.text else message.parse_caption_entities()


def without(text: str, entities: Iterable[MessageEntity]) -> str:
    """The text without these entities, whose places Telegram counts in UTF-16 units."""
    encoded = text.encode("utf-16-le", "surrogatepass")
    for entity in sorted(entities, key=lambda entity: entity.offset, reverse=True):
        start, end = 2 * entity.offset, 2 * (entity.offset + entity.length)
        encoded = encoded[:start] + encoded[end:]
    return encoded.decode("utf-16-le", "surrogatepass").strip()
