"""The Bot API methods that the bot calls, apart from getUpdates."""

import re
from collections.abc import Callable
from functools import partial

from bot.local.files import MAX_DOWNLOAD
from bot.local.message_content import caption_content, reply_markup, text_content
from bot.local.params import ApiError, Params
from bot.local.people import BOT, CHATS, Json
from bot.local.state import QUERY_LIFETIME, State
from bot.local.text import TEXT, units

MAX_CALLBACK_ANSWER = 200  # UTF-16 code units
_ACTIONS = {
    *("typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice"),
    *("upload_document", "choose_sticker", "find_location", "record_video_note"),
    "upload_video_note",
}
_NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)


def _get_me(_state: State, _params: Params) -> Json:
    # All of a group's messages: so that a bot has to keep silent by itself.
    able = ("can_join_groups", "can_read_all_group_messages")
    unable = ("supports_inline_queries", "can_connect_to_business", "has_main_web_app")
    return BOT | dict.fromkeys(able, True) | dict.fromkeys(unable, False)


def _send_message(state: State, params: Params) -> Json:
    return _send(state, params, text_content(params, "message is too long"))


def _send_file(kind: str, state: State, params: Params) -> Json:
    """A photo or document: uploaded with the request, or sent before and named by its file_id."""
    caption = caption_content(params)
    file_id = params.text(kind)
    if not file_id and kind not in params.uploads:
        raise ApiError.bad_request(f"there is no {kind} in the request")
    if upload := params.uploads.get(kind):
        return _send(state, params, {kind: state.files.add(kind, upload)} | caption)
    stored = state.files.get(file_id)
    if stored is None or stored.kind != kind:
        raise ApiError.bad_request("wrong file identifier/HTTP URL specified")
    return _send(state, params, {kind: stored.shown} | caption)


def _send(state: State, params: Params, content: Json) -> Json:
    markup = reply_markup(params)
    chat_id = _writable_chat(state, params)
    return state.post(chat_id, BOT, content | markup, _replied(state, chat_id, params))


def _replied(state: State, chat_id: int, params: Params) -> Json | None:
    reply = params.object("reply_parameters", "reply parameters")
    if not (message_id := reply.integer("message_id")):
        return None
    message = state.message(chat_id, message_id)
    if message is None and not reply.boolean("allow_sending_without_reply"):
        raise ApiError.bad_request("message to be replied not found")
    return message


def _writable_chat(state: State, params: Params) -> int:
    if not params.text("chat_id"):
        raise ApiError.bad_request("chat_id is empty")
    chat_id = params.integer("chat_id")
    if chat_id not in CHATS:
        raise ApiError.bad_request("chat not found")
    if moved_to := state.faults.moved.get(chat_id):
        reason = "Bad Request: group chat was upgraded to a supergroup chat"
        raise ApiError(400, reason, migrate_to_chat_id=moved_to)
    if chat_id in state.blocked:
        raise ApiError(403, "Forbidden: bot was blocked by the user")
    return chat_id


def _send_chat_action(state: State, params: Params) -> bool:
    action = params.text("action")
    if action not in _ACTIONS:
        raise ApiError.bad_request("wrong parameter action in request")
    state.tell(_writable_chat(state, params), "typing", action=action)
    return True


def _edit_message_text(state: State, params: Params) -> Json:
    """Without a keyboard in the request the message loses its keyboard, as in Telegram."""
    content = text_content(params, "MESSAGE_TOO_LONG")
    message = _editable_message(state, params)
    if "text" not in message:
        raise ApiError.bad_request("there is no text in the message to edit")
    content |= reply_markup(params)
    replaced = {*TEXT, "reply_markup"}
    if content == {key: value for key, value in message.items() if key in replaced}:
        raise ApiError.bad_request(_NOT_MODIFIED)
    return state.edit(message, replaced, content)


def _editable_message(state: State, params: Params) -> Json:
    chat_id = _writable_chat(state, params)
    if not re.fullmatch("[0-9]+", params.text("message_id").strip()):
        raise ApiError.bad_request("message identifier is not specified")
    message = state.message(chat_id, params.integer("message_id"))
    if message is None:
        raise ApiError.bad_request("message to edit not found")
    if message["from"] is not BOT:
        raise ApiError.bad_request("message can't be edited")
    return message


def _answer_callback_query(state: State, params: Params) -> bool:
    text, query_id = params.text("text"), params.text("callback_query_id")
    if units(text) > MAX_CALLBACK_ANSWER:
        raise ApiError.bad_request("MESSAGE_TOO_LONG")
    query = state.queries.pop(query_id, None)
    is_stale = query is None or state.clock() - query.asked_at > QUERY_LIFETIME
    if query is None or is_stale or state.faults.stale_queries:
        reason = "query is too old and response timeout expired or query ID is invalid"
        raise ApiError.bad_request(reason)
    alert, audience = params.boolean("show_alert"), [query.user_id]
    answer = {"callback_query_id": query_id, "text": text, "show_alert": alert}
    state.tell(query.chat_id, "callback_answer", audience, **answer)
    return True


def _set_my_commands(state: State, params: Params) -> bool:
    state.commands.set(params)
    for chat_id in CHATS:
        state.tell(chat_id, "commands")
    return True


def _get_file(state: State, params: Params) -> Json:
    file = state.files.get(params.text("file_id"))
    if file is None:
        raise ApiError.bad_request("invalid file_id")
    if file.about["file_size"] > MAX_DOWNLOAD:
        raise ApiError.bad_request("file is too big")
    return file.about | {"file_path": file.path}


_METHODS: dict[str, Callable[[State, Params], object]] = {
    "getMe": _get_me,
    "sendMessage": _send_message,
    "sendPhoto": partial(_send_file, "photo"),
    "sendDocument": partial(_send_file, "document"),
    "sendChatAction": _send_chat_action,
    "editMessageText": _edit_message_text,
    "answerCallbackQuery": _answer_callback_query,
    "setMyCommands": _set_my_commands,
    "getFile": _get_file,
    "setWebhook": lambda state, params: state.webhook.set(params),
    "deleteWebhook": lambda state, params: state.webhook.remove(params),
    "getWebhookInfo": lambda state, _params: state.webhook.info(),
}
METHODS = {name.lower(): method for name, method in _METHODS.items()}
"""By name in lower case: Telegram doesn't distinguish cases either."""
