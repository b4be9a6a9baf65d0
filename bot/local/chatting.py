"""What a person can do in their chats."""

from typing import Any

from bot.local.entities import with_found
from bot.local.errors import ChatError
from bot.local.keyboard import MAX_DATA
from bot.local.params import Upload
from bot.local.people import BOT, CHATS, LOCAL_ADMIN_ID, MEMBERS, USERS, Json
from bot.local.state import State
from bot.local.text import MAX_CAPTION, MAX_TEXT, cleaned, is_unicode, parts, trimmed, units

CHANNEL: Json = {"id": -1_000_000_000_009, "type": "channel", "title": "Новости кино"}
_POST = "Сегодня в прокат вышла новая комедия. Билеты уже в продаже."

_STAND_INS = {
    "voice": Upload("voice.ogg", "audio/ogg", b"OggS"),
    "sticker": Upload("sticker.webp", "image/webp", b"RIFF"),
}


class Request:
    """A request's values, and the file that came with them."""

    def __init__(self, values: dict[str, Any], file: Upload | None = None) -> None:
        self._values, self.file = values, file

    def __contains__(self, name: str) -> bool:
        return self._values.get(name) not in (None, "")

    def number(self, name: str) -> int:
        try:
            return int(self._values[name])
        except (KeyError, TypeError, ValueError):
            raise ChatError(400, f"{name} must be a number") from None

    def text(self, name: str) -> str:
        text = str(self._values.get(name) or "")
        if not is_unicode(text):
            raise ChatError(400, f"{name} must be Unicode text")
        return text

    def value(self, name: str) -> Any:
        return self._values.get(name)

    def all(self) -> dict[str, Any]:
        return self._values

    def user(self) -> Json:
        user = USERS.get(self.number("user"))
        if user is None:
            raise ChatError(404, "there is no such user")
        return user

    def chat(self) -> int:
        """The chat, which the user must be in."""
        chat_id = self.number("chat")
        if self.user()["id"] not in MEMBERS.get(chat_id, ()):
            raise ChatError(403, "the user is not in this chat")
        return chat_id


def overview(state: State, _request: Request) -> Json:
    people = [
        {key: user[key] for key in ("id", "first_name", "language_code")}
        | {"admin": user["id"] == LOCAL_ADMIN_ID}
        for user in USERS.values()
    ]
    chats = [
        {
            "id": chat["id"],
            "type": chat["type"],
            "title": chat.get("title", BOT["first_name"]),
            "members": sorted(MEMBERS[chat["id"]]),
        }
        for chat in CHATS.values()
    ]
    blocked = sorted(state.blocked)
    event = state.events.last_number
    return {"bot": BOT, "users": people, "chats": chats, "blocked": blocked, "event": event}


def messages(state: State, request: Request) -> Json:
    """With the number of the last event that they contain: events after it change them."""
    return {"messages": state.messages(request.chat()), "event": state.events.last_number}


def commands(state: State, request: Request) -> Json:
    return {"commands": state.commands.shown(request.user(), CHATS[request.chat()])}


def send(state: State, request: Request) -> Json:
    user, chat_id = request.user(), _open_chat(state, request)
    texts = parts(cleaned(request.text("text")))
    if not texts:
        raise ChatError(400, "there is no text")
    reply = _replied(state, request, chat_id)
    sent = [state.post(chat_id, user, _text(texts[0]), reply)]
    sent += [state.post(chat_id, user, _text(text), None) for text in texts[1:]]
    return {"messages": sent}


def send_file(state: State, request: Request) -> Json:
    user, chat_id = request.user(), _open_chat(state, request)
    kind, caption = request.text("kind"), trimmed(cleaned(request.text("caption")))
    if units(caption) > MAX_CAPTION:
        raise ChatError(400, "the caption is too long")
    if kind in ("photo", "document"):
        if request.file is None:
            raise ChatError(400, "there is no file")
        content: Json = {kind: state.files.add(kind, request.file)} | _caption(caption)
    elif kind in _STAND_INS:
        content = {kind: state.files.add(kind, request.file or _STAND_INS[kind])}
    elif kind == "channel_post":
        content = _text(caption or _POST) | {"forward_origin": _origin(state)}
    else:
        raise ChatError(400, "kind must be document, photo, voice, sticker or channel_post")
    reply = _replied(state, request, chat_id)
    return {"messages": [state.post(chat_id, user, content, reply)]}


def edit(state: State, request: Request) -> Json:
    message = _own(state, request)
    text = trimmed(cleaned(request.text("text")))
    if "text" in message:
        if not 1 <= units(text) <= MAX_TEXT:
            raise ChatError(400, "the text must have from 1 to 4096 characters")
        replaced, content = ("text", "entities"), _text(text)
    else:
        replaced, content = ("caption", "caption_entities"), _caption(text)
    if content == {key: message[key] for key in replaced if key in message}:
        return {"message": message}  # clients send nothing then
    edited = {"edit_date": state.now()}
    return {"message": state.replace(message, replaced, content | edited)}


def delete(state: State, request: Request) -> Json:
    """A bot is not told."""
    message = _own(state, request)
    state.delete(message["chat"]["id"], message["message_id"])
    return {}


def tap(state: State, request: Request) -> Json:
    """Any data: Telegram warns that a client may send what is on no button.

    A message that is gone gives an inaccessible one, as Telegram does for old messages.
    """
    user, chat_id = request.user(), _open_chat(state, request)
    data = request.text("data")
    if not 1 <= len(data.encode()) <= MAX_DATA:
        raise ChatError(400, "data must have from 1 to 64 bytes")
    query_id = state.ask(user, chat_id, request.number("message_id"), data)
    return {"callback_query_id": query_id}


def block(state: State, request: Request) -> Json:
    """The person blocks the bot, or starts it again; the bot is told."""
    user, is_blocked = request.user(), request.value("blocked") in (True, "true")
    if is_blocked == (user["id"] in state.blocked):
        return {}
    statuses = (
        {"status": "member", "user": BOT},
        {"status": "kicked", "user": BOT, "until_date": 0},
    )
    old, new = statuses if is_blocked else reversed(statuses)
    change = {
        "chat": CHATS[user["id"]],
        "from": user,
        "date": state.now(),
        "old_chat_member": old,
        "new_chat_member": new,
    }
    (state.blocked.add if is_blocked else state.blocked.discard)(user["id"])
    state.updates.put("my_chat_member", change)
    return {}


def control(state: State, request: Request) -> Json:
    try:
        state.faults.order(request.all())
    except (KeyError, TypeError, ValueError):
        raise ChatError(400, "see bot/local/faults.py for what can be ordered") from None
    return {}


def _open_chat(state: State, request: Request) -> int:
    chat_id = request.chat()
    if chat_id in state.blocked:
        raise ChatError(403, "the user has blocked the bot")
    return chat_id


def _replied(state: State, request: Request, chat_id: int) -> Json | None:
    if "reply_to" not in request:
        return None
    message = state.message(chat_id, request.number("reply_to"))
    if message is None:
        raise ChatError(404, "the message to reply to is gone")
    return message


def _own(state: State, request: Request) -> Json:
    message = state.message(request.chat(), request.number("message_id"))
    if message is None:
        raise ChatError(404, "there is no such message")
    if message["from"] is not request.user():
        raise ChatError(403, "it is someone else's message")
    return message


def _text(text: str) -> Json:
    entities = with_found(text, [])
    return {"text": text} | ({"entities": entities} if entities else {})


def _caption(text: str) -> Json:
    if not text:
        return {}
    entities = with_found(text, [])
    return {"caption": text} | ({"caption_entities": entities} if entities else {})


def _origin(state: State) -> Json:
    return {"type": "channel", "date": state.now() - 3600, "chat": CHANNEL, "message_id": 1}
