"""Reads a bot's message from its request: text or caption, entities and keyboard."""

import re

from bot.local import html
from bot.local.params import ApiError, Params
from bot.local.people import Json
from bot.local.text import CAPTION, LIMITS, TEXT, cleaned, text_fields, trimmed, units

MAX_CALLBACK_DATA = 64  # bytes, not characters
MAX_BUTTONS = 100


def text_content(params: Params, too_long: str) -> Json:
    """The content of a text message."""
    if not params.text("text"):
        raise ApiError.bad_request("message text is empty")
    content = _formatted(params, TEXT, too_long)
    if not content:
        raise ApiError.bad_request("text must be non-empty")
    return content


def caption_content(params: Params) -> Json:
    """The caption of a photo or document, if it has one."""
    return _formatted(params, CAPTION, "message caption is too long")


def _formatted(params: Params, fields: tuple[str, str], too_long: str) -> Json:
    source = cleaned(params.text(fields[0]))
    mode = params.text("parse_mode").lower()
    if mode == "html":
        text, entities = html.parse(source)
    elif mode in ("", "none") and fields[1] not in params:
        text, entities = source, []
    elif mode in ("", "none", "markdown", "markdownv2"):
        raise ApiError.bad_request("the local chat parses HTML only")
    else:
        raise ApiError.bad_request("unsupported parse_mode")
    stripped = trimmed(text)
    if units(stripped) > LIMITS[fields]:
        raise ApiError.bad_request(too_long)
    before = units(text) - units(text.lstrip(" \n"))
    moved = (_moved(entity, before, stripped) for entity in entities)
    return text_fields(fields, stripped, [entity for entity in moved if entity["length"] > 0])


def _moved(entity: Json, before: int, text: str) -> Json:
    """The entity after `before` units were trimmed off the text; it never begins with a space."""
    encoded = text.encode("utf-16-le")
    start = max(entity["offset"] - before, 0)
    end = min(entity["offset"] + entity["length"] - before, len(encoded) // 2)
    covered = encoded[2 * start : 2 * end].decode("utf-16-le", "replace").lstrip(" \n")
    return entity | {"offset": end - units(covered), "length": units(covered)}


def reply_markup(params: Params) -> Json:
    """The message's `reply_markup` field; nothing if there is no keyboard."""
    markup = params.json("reply_markup", "reply keyboard markup")
    if markup is None:
        return {}
    if not isinstance(markup, dict):
        raise ApiError.bad_request("object expected as reply markup")
    rows = markup.get("inline_keyboard")
    if rows is None:
        raise ApiError.bad_request("the local chat has inline keyboards only")
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        reason = 'field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays'
        raise ApiError.bad_request(reason)
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
    if not 1 <= len(data.encode("utf-8", "surrogatepass")) <= MAX_CALLBACK_DATA:
        raise ApiError.bad_request("BUTTON_DATA_INVALID")
    return {"text": text, "callback_data": data}
