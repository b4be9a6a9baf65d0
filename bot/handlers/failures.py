"""What happens when a handler fails."""

import logging

from telegram import Update
from telegram.constants import ParseMode
from telegram.error import TelegramError
from telegram.ext import ContextTypes

from bot.handlers.incoming import locale_of
from bot.texts import conversation as phrases

logger = logging.getLogger(__name__)


async def on_error(update: object, context: ContextTypes.DEFAULT_TYPE) -> None:
    """Log it, and tell whoever waits for an answer.

    What can wait is not brought here: the inbox tries such an update again.
    """
    ids = {"update_id": update.update_id} if isinstance(update, Update) else {}
    logger.error("update failed", exc_info=context.error, extra=ids)
    if isinstance(update, Update):
        await apologise(update)


async def apologise(update: Update) -> None:
    """Tell the chat that this update can't be dealt with; that it can't be told is only logged."""
    if update.effective_chat is None:
        return
    try:
        text = locale_of(update)(phrases.FAILED)
        await update.get_bot().send_message(update.effective_chat.id, text, ParseMode.HTML)
    except TelegramError as error:
        ids = {"update_id": update.update_id}
        logger.warning("the apology did not arrive", exc_info=error, extra=ids)
