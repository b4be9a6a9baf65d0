"""What people can ask for (QUESTIONS) and do (ACTS) in their chats."""

from collections.abc import Callable, Mapping

from bot.local.message_content import MAX_CALLBACK_DATA
from bot.local.params import ApiError, Params, Upload
from bot.local.people import BOT, CHATS, LOCAL_ADMIN_ID, MEMBERS, USERS, Json
from bot.local.state import State
from bot.local.text import CAPTION, LIMITS, TEXT, cleaned, parts, text_fields, trimmed, units

CHANNEL: Json = {"id": -1_000_000_000_009, "type": "channel", "title": "Новости кино"}
_POST = "Сегодня в прокат вышла новая комедия. Билеты уже в продаже."

_STAND_INS = {
    "voice": Upload("voice.ogg", "audio/ogg", b"OggS"),
    "sticker": Upload("sticker.webp", "image/webp", b"RIFF"),
}
"""What the page sends instead of a recording."""


def user_of(params: Params) -> Json:
    if user := USERS.get(params.integer("user")):
        return user
    raise ApiError(404, "there is no such user")


def _chat_of(params: Params) -> int:
    """The chat, which the user must be in."""
    chat_id = params.integer("chat")
    if user_of(params)["id"] not in MEMBERS.get(chat_id, ()):
        raise ApiError(403, "the user is not in this chat")
    return chat_id


def _open_chat_of(state: State, params: Params) -> int:
    """The chat, where the user must not have blocked the bot."""
    chat_id = _chat_of(params)
    if chat_id in state.blocked:
        raise ApiError(403, "the user has blocked the bot")
    return chat_id


def _state(state: State, _params: Params) -> Json:
    people = [user | {"admin": user["id"] == LOCAL_ADMIN_ID} for user in USERS.values()]
    chats = [
        {"id": id_, "title": chat.get("title", BOT["first_name"]), "members": sorted(MEMBERS[id_])}
        for id_, chat in CHATS.items()
    ]
    return {"bot": BOT, "users": people, "chats": chats, "event": state.events.last_number}


def _messages(state: State, params: Params) -> Json:
    """The messages, and the number of the last event that they include."""
    return {"messages": state.messages(_chat_of(params)), "event": state.events.last_number}


def _commands(state: State, params: Params) -> Json:
    return {"commands": state.commands.shown(user_of(params), CHATS[_chat_of(params)])}


def _send(state: State, params: Params) -> Json:
    user, chat_id = user_of(params), _open_chat_of(state, params)
    texts = parts(cleaned(params.text("text")))
    if not texts:
        raise ApiError(400, "there is no text")
    reply = _replied(state, params)
    sent = []
    for text in texts:
        sent.append(state.post(chat_id, user, text_fields(TEXT, text), reply))
        reply = None  # only the first part of a long text replies
    return {"messages": sent}


def _send_file(state: State, params: Params) -> Json:
    user, chat_id = user_of(params), _open_chat_of(state, params)
    kind, caption = params.text("kind"), trimmed(cleaned(params.text("caption")))
    file = params.uploads.get("file")
    if units(caption) > LIMITS[CAPTION]:
        raise ApiError(400, "the caption is too long")
    if kind in ("photo", "document"):
        if file is None:
            raise ApiError(400, "there is no file")
        content: Json = {kind: state.files.add(kind, file)}
        content |= text_fields(CAPTION, caption)
    elif kind in _STAND_INS:
        content = {kind: state.files.add(kind, file or _STAND_INS[kind])}
    elif kind == "channel_post":
        origin = {"type": "channel", "date": state.now() - 3600, "chat": CHANNEL, "message_id": 1}
        content = text_fields(TEXT, caption or _POST) | {"forward_origin": origin}
    else:
        raise ApiError(400, "kind must be document, photo, voice, sticker or channel_post")
    return {"messages": [state.post(chat_id, user, content, _replied(state, params))]}


def _replied(state: State, params: Params) -> Json | None:
    return _message_of(state, params, "reply_to") if params.text("reply_to") else None


def _edit(state: State, params: Params) -> Json:
    message = _own_message(state, params)
    text = trimmed(cleaned(params.text("text")))
    if "text" in message and not 1 <= units(text) <= LIMITS[TEXT]:
        raise ApiError(400, "the text must have from 1 to 4096 characters")
    fields = TEXT if "text" in message else CAPTION
    content = text_fields(fields, text)
    if content == {key: message[key] for key in fields if key in message}:
        return {"message": message}  # clients send nothing then
    return {"message": state.edit(message, fields, content)}


def _delete(state: State, params: Params) -> Json:
    """Delete one's own message; Telegram doesn't tell bots."""
    message = _own_message(state, params)
    state.delete(message["chat"]["id"], message["message_id"])
    return {}


def _message_of(state: State, params: Params, name: str) -> Json:
    if message := state.message(_chat_of(params), params.integer(name)):
        return message
    raise ApiError(404, f"{name}: there is no such message")


def _own_message(state: State, params: Params) -> Json:
    message = _message_of(state, params, "message_id")
    if message["from"] is not user_of(params):
        raise ApiError(403, "it is someone else's message")
    return message


def _tap(state: State, params: Params) -> Json:
    """Tap a button. Any data will do: a client may send data of no button, as Telegram warns."""
    user, chat_id = user_of(params), _open_chat_of(state, params)
    data = params.text("data")
    if not 1 <= len(data.encode()) <= MAX_CALLBACK_DATA:
        raise ApiError(400, "data must have from 1 to 64 bytes")
    query_id = state.add_query(user, chat_id, params.integer("message_id"), data)
    return {"callback_query_id": query_id}


def _block(state: State, params: Params) -> Json:
    """Block the bot or unblock it, which the bot is told."""
    user, is_blocked = user_of(params), params.boolean("blocked")
    if is_blocked == (user["id"] in state.blocked):
        return {}
    statuses = {"status": "member"}, {"status": "kicked", "until_date": 0}
    old, new = statuses if is_blocked else reversed(statuses)
    change = {
        "chat": CHATS[user["id"]],
        "from": user,
        "date": state.now(),
        "old_chat_member": {"user": BOT, **old},
        "new_chat_member": {"user": BOT, **new},
    }
    (state.blocked.add if is_blocked else state.blocked.discard)(user["id"])
    state.updates.put("my_chat_member", change)
    return {}


def _control(state: State, params: Params) -> Json:
    try:
        state.faults.order(params.values)
    except (KeyError, TypeError, ValueError):
        raise ApiError(400, "Faults in bot/local/state.py says what can be ordered") from None
    return {}


Answer = Callable[[State, Params], Json]

QUESTIONS: Mapping[str, Answer] = {"state": _state, "messages": _messages, "commands": _commands}
ACTS: Mapping[str, Answer] = {
    "send": _send,
    "send_file": _send_file,
    "edit": _edit,
    "delete": _delete,
    "tap": _tap,
    "block": _block,
    "control": _control,
}
