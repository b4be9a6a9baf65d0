"""Inline keyboards, checked as Telegram checks them."""

import re

from bot.local.errors import ApiError
from bot.local.params import Params
from bot.local.people import Json

MAX_DATA = 64  # bytes, not characters
MAX_BUTTONS = 100


def reply_markup(params: Params) -> Json:
    """The message's `reply_markup` in a dict of its own; an empty one for no keyboard."""
    markup = params.json("reply_markup", "reply keyboard markup")
    if markup is None:
        return {}
    if not isinstance(markup, dict):
        raise ApiError.bad_request("object expected as reply markup")
    rows = markup.get("inline_keyboard")
    if rows is None:
        raise ApiError.bad_request("the local chat has inline keyboards only")
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise ApiError.bad_request(
            'field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays'
        )
    keyboard = [[_button(button) for button in row] for row in rows if row]
    if sum(map(len, keyboard)) > MAX_BUTTONS:
        raise ApiError.bad_request("reply markup is too long")
    return {"reply_markup": {"inline_keyboard": keyboard}} if keyboard else {}


def _button(button: Json) -> Json:
    cant = "can't parse inline keyboard button: "
    if not isinstance(button, dict):
        raise ApiError.bad_request(f"{cant}InlineKeyboardButton must be an Object")
    text = button.get("text")
    if not isinstance(text, str):
        raise ApiError.bad_request(f'{cant}Field "text" must be of type String')
    if not text.strip():
        raise ApiError.bad_request("inline keyboard button text must be non-empty")
    if "url" in button:
        if not re.match(r"(https?|tg)://\S", str(button["url"])):
            raise ApiError.bad_request("BUTTON_URL_INVALID")
        return {"text": text, "url": button["url"]}
    if "callback_data" not in button:
        raise ApiError.bad_request(f"{cant}Text buttons are unallowed in the inline keyboard")
    data = str(button["callback_data"])
    if not 1 <= len(data.encode("utf-8", "surrogatepass")) <= MAX_DATA:
        raise ApiError.bad_request("BUTTON_DATA_INVALID")
    return {"text": text, "callback_data": data}
