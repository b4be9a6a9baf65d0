"""What follows a tap on a button: a toast, and another text in the message with the button."""

from telegram import CallbackQuery, InlineKeyboardMarkup
from telegram.constants import ParseMode
from telegram.error import BadRequest

_STALE = "query is too old"
# The message shows that already, or it is gone, or too old to be changed: nothing to do.
_SETTLED = ("message is not modified", "message to edit not found", "message can't be edited")


async def toast(query: CallbackQuery, text: str | None = None, *, alert: bool = False) -> None:
    """Answer the query, which stops the button's spinner; it is no error if that comes too late."""
    try:
        await query.answer(text, alert)
    except BadRequest as error:
        if _STALE not in error.message.lower():
            raise


async def show(
    query: CallbackQuery, text: str, keyboard: InlineKeyboardMarkup | None = None
) -> None:
    """Change the message under which the button is, as long as Telegram lets it be changed."""
    if query.message is None:
        return
    try:
        await query.get_bot().edit_message_text(
            text,
            query.message.chat.id,
            query.message.message_id,
            parse_mode=ParseMode.HTML,
            reply_markup=keyboard,
        )
    except BadRequest as error:
        if not any(settled in error.message.lower() for settled in _SETTLED):
            raise
