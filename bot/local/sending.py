"""The Bot API methods that show, change and delete messages."""

import re

from bot.local.errors import ApiError
from bot.local.formatting import caption_content, text_content
from bot.local.keyboard import reply_markup
from bot.local.params import Params, number
from bot.local.people import BOT, CHATS, Json
from bot.local.state import State

DELETABLE_SECONDS = 48 * 3600
_MEDIA = ("photo", "document", "voice", "sticker")
_TEXT = ("text", "entities")
_CAPTION = ("caption", "caption_entities")
_ACTIONS = {
    *("typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice"),
    *("upload_document", "choose_sticker", "find_location", "record_video_note"),
    "upload_video_note",
}
_UNKNOWN_FILE = "wrong file identifier/HTTP URL specified"
_CAPTION_TOO_LONG = "message caption is too long"
_NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)


def chat_of(params: Params) -> int:
    """The chat that a request names."""
    if not params.text("chat_id"):
        raise ApiError.bad_request("chat_id is empty")
    chat_id = params.integer("chat_id")
    if chat_id not in CHATS:
        raise ApiError.bad_request("chat not found")
    return chat_id


def _writable(state: State, params: Params) -> int:
    chat_id = chat_of(params)
    if chat_id in state.blocked:
        raise ApiError(403, "Forbidden: bot was blocked by the user")
    return chat_id


def send_message(state: State, params: Params) -> Json:
    return _send(state, params, text_content(params, "message is too long"))


def send_photo(state: State, params: Params) -> Json:
    caption = caption_content(params, _CAPTION_TOO_LONG)
    return _send(state, params, _media(state, params, "photo", params.text("photo")) | caption)


def send_document(state: State, params: Params) -> Json:
    caption = caption_content(params, _CAPTION_TOO_LONG)
    content = _media(state, params, "document", params.text("document"))
    return _send(state, params, content | caption)


def _send(state: State, params: Params, content: Json) -> Json:
    markup = reply_markup(params)
    chat_id = _writable(state, params)
    return state.post(chat_id, BOT, content | markup, _replied(state, chat_id, params))


def _replied(state: State, chat_id: int, params: Params) -> Json | None:
    """The message that is to be replied to."""
    reply = params.json("reply_parameters", "reply parameters") or {}
    if not isinstance(reply, dict):
        raise ApiError.bad_request("object expected as reply parameters")
    message_id = reply.get("message_id") or params.integer("reply_to_message_id")
    if not message_id:
        return None
    message = state.message(chat_id, number(message_id))
    optional = reply.get("allow_sending_without_reply") or params.boolean(
        "allow_sending_without_reply"
    )
    if message is None and not optional:
        raise ApiError.bad_request("message to be replied not found")
    return message


def _media(state: State, params: Params, kind: str, source: str) -> Json:
    """A photo or document: uploaded with the request, or sent before and named by its file_id."""
    if not source and kind not in params.uploads:
        raise ApiError.bad_request(f"there is no {kind} in the request")
    attached = source.removeprefix("attach://") if source.startswith("attach://") else kind
    if upload := params.uploads.get(attached):
        return {kind: state.files.add(kind, upload)}
    stored = state.files.get(source)
    if stored is None or stored.kind != kind:
        raise ApiError.bad_request(_UNKNOWN_FILE)
    return {kind: stored.shown}


def send_chat_action(state: State, params: Params) -> bool:
    action = params.text("action")
    if action not in _ACTIONS:
        raise ApiError.bad_request("wrong parameter action in request")
    state.tell(_writable(state, params), "typing", action=action)
    return True


def edit_message_text(state: State, params: Params) -> Json:
    content = text_content(params, "MESSAGE_TOO_LONG")
    message = _editable(state, params)
    if "text" not in message:
        raise ApiError.bad_request("there is no text in the message to edit")
    return _edit(state, message, _TEXT, content | reply_markup(params))


def edit_message_caption(state: State, params: Params) -> Json:
    content = caption_content(params, "MEDIA_CAPTION_TOO_LONG")
    message = _editable(state, params)
    if not any(kind in message for kind in _MEDIA):
        raise ApiError.bad_request("there is no caption in the message to edit")
    return _edit(state, message, _CAPTION, content | reply_markup(params))


def edit_message_media(state: State, params: Params) -> Json:
    media = params.json("media", "InputMedia")
    if not isinstance(media, dict) or media.get("type") not in ("photo", "document"):
        raise ApiError.bad_request("can't parse InputMedia: invalid media type specified")
    caption = caption_content(Params(media, {}), "MEDIA_CAPTION_TOO_LONG")
    content = _media(state, params, media["type"], str(media.get("media", "")))
    message = _editable(state, params)
    return _edit(
        state, message, (*_MEDIA, *_TEXT, *_CAPTION), content | caption | reply_markup(params)
    )


def edit_message_reply_markup(state: State, params: Params) -> Json:
    markup = reply_markup(params)
    return _edit(state, _editable(state, params), (), markup)


def _edit(state: State, message: Json, without: tuple[str, ...], content: Json) -> Json:
    """A keyboard that isn't given again goes, as in Telegram."""
    replaced = {*without, "reply_markup"}
    if content == {key: value for key, value in message.items() if key in replaced}:
        raise ApiError.bad_request(_NOT_MODIFIED)
    # A change of the keyboard alone doesn't show as an edit.
    edited: Json = {"edit_date": state.now()} if without else {}
    return state.replace(message, replaced, content | edited)


def _editable(state: State, params: Params) -> Json:
    message = _existing(state, params, "edit")
    if message["from"] is not BOT:
        raise ApiError.bad_request("message can't be edited")
    return message


def _existing(state: State, params: Params, what_for: str) -> Json:
    chat_id = _writable(state, params)
    if not re.fullmatch("[0-9]+", params.text("message_id").strip()):
        raise ApiError.bad_request("message identifier is not specified")
    message = state.message(chat_id, params.integer("message_id"))
    if message is None:
        raise ApiError.bad_request(f"message to {what_for} not found")
    return message


def delete_message(state: State, params: Params) -> bool:
    """The bot is no administrator: in the group it deletes only its own."""
    message = _existing(state, params, "delete")
    is_own = message["from"] is BOT or message["chat"]["type"] == "private"
    if not is_own or state.now() - message["date"] > DELETABLE_SECONDS:
        raise ApiError.bad_request("message can't be deleted")
    state.delete(message["chat"]["id"], message["message_id"])
    return True
