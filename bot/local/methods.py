"""All methods that the local Bot API knows, apart from those about fetching updates."""

from collections.abc import Callable

from bot.local import sending
from bot.local.errors import ApiError
from bot.local.files import MAX_DOWNLOAD
from bot.local.params import Params
from bot.local.people import BOT, CHATS, MEMBERS, USERS, Json
from bot.local.sending import chat_of
from bot.local.state import QUERY_LIFETIME, State
from bot.local.text import units

MAX_CALLBACK_ANSWER = 200


def _get_me(_state: State, _params: Params) -> Json:
    abilities = {
        "can_join_groups": True,
        "can_read_all_group_messages": True,  # the stricter test of a bot that is to be silent
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }
    return BOT | abilities


def _answer_callback_query(state: State, params: Params) -> bool:
    text, query_id = params.text("text"), params.text("callback_query_id")
    if units(text) > MAX_CALLBACK_ANSWER:
        raise ApiError.bad_request("MESSAGE_TOO_LONG")
    query = state.queries.pop(query_id, None)
    is_stale = query is None or state.clock() - query.asked_at > QUERY_LIFETIME
    if query is None or is_stale or state.faults.stale_queries:
        raise ApiError.bad_request(
            "query is too old and response timeout expired or query ID is invalid"
        )
    state.tell(
        query.chat_id,
        "callback_answer",
        audience=[query.user_id],
        callback_query_id=query_id,
        text=text,
        show_alert=params.boolean("show_alert"),
    )
    return True


def _set_my_commands(state: State, params: Params) -> bool:
    commands = params.json("commands", "commands")
    if not isinstance(commands, list):
        raise ApiError.bad_request("expected an Array of BotCommand")
    scope = params.json("scope", "BotCommandScope")
    state.commands.set(scope, params.text("language_code"), commands)
    _tell_of_commands(state)
    return True


def _delete_my_commands(state: State, params: Params) -> bool:
    scope = params.json("scope", "BotCommandScope")
    state.commands.set(scope, params.text("language_code"), [])
    _tell_of_commands(state)
    return True


def _tell_of_commands(state: State) -> None:
    for chat_id in CHATS:
        state.tell(chat_id, "commands")


def _get_my_commands(state: State, params: Params) -> list[Json]:
    return state.commands.get(params.json("scope", "BotCommandScope"), params.text("language_code"))


def _get_chat(_state: State, params: Params) -> Json:
    known = {
        "accent_color_id": 0,
        "max_reaction_count": 11,
        "accepted_gift_types": {
            "unlimited_gifts": False,
            "limited_gifts": False,
            "unique_gifts": False,
            "premium_subscription": False,
            "gifts_from_channels": False,
        },
    }
    return CHATS[chat_of(params)] | known


def _get_chat_member(_state: State, params: Params) -> Json:
    chat_id, user_id = chat_of(params), params.integer("user_id")
    user = BOT if user_id == BOT["id"] else USERS.get(user_id)
    if user is None:
        raise ApiError.bad_request("user not found")
    is_member = user is BOT or user_id in MEMBERS[chat_id]
    return {"status": "member" if is_member else "left", "user": user}


def _get_file(state: State, params: Params) -> Json:
    file = state.files.get(params.text("file_id"))
    if file is None:
        raise ApiError.bad_request("invalid file_id")
    if file.about["file_size"] > MAX_DOWNLOAD:
        raise ApiError.bad_request("file is too big")
    return file.about | {"file_path": file.path}


METHODS: dict[str, Callable[[State, Params], object]] = {
    name.lower(): method
    for name, method in {
        "getMe": _get_me,
        "sendMessage": sending.send_message,
        "sendPhoto": sending.send_photo,
        "sendDocument": sending.send_document,
        "sendChatAction": sending.send_chat_action,
        "editMessageText": sending.edit_message_text,
        "editMessageCaption": sending.edit_message_caption,
        "editMessageMedia": sending.edit_message_media,
        "editMessageReplyMarkup": sending.edit_message_reply_markup,
        "deleteMessage": sending.delete_message,
        "answerCallbackQuery": _answer_callback_query,
        "setMyCommands": _set_my_commands,
        "getMyCommands": _get_my_commands,
        "deleteMyCommands": _delete_my_commands,
        "getChat": _get_chat,
        "getChatMember": _get_chat_member,
        "getFile": _get_file,
    }.items()
}
"""By name in lower case: Telegram doesn't care about the case either."""
