"""How the bot speaks: a reply, the toast after a tap, another text in the message tapped on."""

from telegram import Bot, CallbackQuery, InlineKeyboardMarkup, Message, ReplyParameters
from telegram.constants import ParseMode
from telegram.error import BadRequest

from bot.services.reviewing import ReviewRequest

_STALE = "query is too old"
# The message shows that already, or it is gone, or too old to be changed: nothing to do.
_SETTLED = ("message is not modified", "message to edit not found", "message can't be edited")


async def say(
    bot: Bot, request: ReviewRequest, text: str, keyboard: InlineKeyboardMarkup | None = None
) -> Message:
    """Reply to the message that asked, or just write if it was deleted meanwhile."""
    return await bot.send_message(
        request.chat_id,
        text,
        ParseMode.HTML,
        reply_markup=keyboard,
        reply_parameters=ReplyParameters(request.message_id, allow_sending_without_reply=True),
    )


async def toast(query: CallbackQuery, text: str | None = None, *, alert: bool = False) -> None:
    """Answer the query, which ends the button's waiting; Telegram takes no answer after a while."""
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
