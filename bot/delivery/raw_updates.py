"""Updates as Telegram writes them: what can be stored of any bytes, and what handlers can use.

PTB's classes refuse some updates and take others whose fields are of the wrong type. So the JSON is
stored before PTB sees it, and what handlers rely on is checked before they do.
"""

import json
import math
import re
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from telegram import Bot, Update

ALLOWED_UPDATES = (
    Update.MESSAGE,
    Update.EDITED_MESSAGE,
    Update.CALLBACK_QUERY,
    Update.MY_CHAT_MEMBER,
)
"""The kinds of updates that Telegram is asked for."""

DEEPEST = 100
"""Levels of JSON that are kept where there are more than Python's parser bears."""

_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[{]|[\]}]|[^"\[\]{}]+', re.DOTALL)
_HALVES = re.compile("[\ud800-\udfff]")
_MOST_DIGITS = 1000  # Python itself refuses numbers of more than 4,300
_INTEGERS = range(-(2**63), 2**63)  # what a column holds

_TEXTS = {"text", "caption"}

Json = dict[str, Any]


class RawUpdate(NamedTuple):
    update_id: int
    payload: Json

    @property
    def kind(self) -> str:
        """The name of the field with the content; "unknown" where the Bot API has no such field."""
        return next((kind for kind in self.payload if kind in Update.ALL_TYPES), "unknown")

    @property
    def user_id(self) -> int | None:
        """Whose update it is, so that it is erased with them; None where it does not say."""
        content = self.payload.get(self.kind)
        for field in ("from", "user"):
            user = content.get(field) if isinstance(content, dict) else None
            user_id = user.get("id") if isinstance(user, dict) else None
            if type(user_id) is int and user_id in _INTEGERS:
                return user_id
        return None


class UnreadableError(Exception):
    """Why handlers can't use an update; the message quotes nothing of it."""


def parse_json(body: bytes) -> Any:
    """JSON of which every value can be stored; raises ValueError.

    A number that no database takes becomes None, as does what is nested too deeply.
    """
    text = body.decode("utf-8", "replace")
    try:
        return _loads(text)
    except RecursionError:
        return _loads(_shallow(text))


def raw_update(item: object) -> RawUpdate | None:
    """None for what has no id, and so no place in the inbox."""
    if not isinstance(item, dict):
        return None
    update_id = item.get("update_id")
    if type(update_id) is not int or update_id not in _INTEGERS or update_id < 0:
        return None
    return RawUpdate(update_id, item)


def read(raw: RawUpdate, bot: Bot) -> Update:
    """The update for the handlers; raises UnreadableError.

    A text is read even where something beside it is not: the message that it replies to, say.
    """
    try:
        return _parsed(raw.payload, bot)
    except UnreadableError:
        content = raw.payload.get(raw.kind)
        if not isinstance(content, dict) or content.keys().isdisjoint(_TEXTS):
            raise
        kept = {name: value for name, value in content.items() if name in _BESIDE_A_TEXT}
        return _parsed({"update_id": raw.update_id, raw.kind: kept}, bot)


def _parsed(payload: Json, bot: Bot) -> Update:
    try:
        payload = _encodable(payload)
        _Update.model_validate(payload)
        return Update.de_json(payload, bot)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise UnreadableError(f"{place}: {first['type']}") from None
    except Exception as error:  # PTB's classes raise whatever their code meets
        raise UnreadableError(type(error).__name__) from None


def _loads(text: str) -> Any:
    return json.loads(
        text,
        parse_constant=lambda _: None,  # NaN and Infinity
        parse_float=lambda digits: number if math.isfinite(number := float(digits)) else None,
        parse_int=lambda digits: int(digits) if len(digits) <= _MOST_DIGITS else None,
    )


def _encodable(payload: Json) -> Json:
    """With U+FFFD in place of halves of surrogate pairs, which handlers could not send or count."""
    text = json.dumps(payload, ensure_ascii=False)
    return dict(json.loads(_HALVES.sub("\ufffd", text))) if _HALVES.search(text) else payload


def _shallow(text: str) -> str:
    """The text of the JSON with null in place of what is nested too deeply."""
    kept, depth = [], 0
    for match in _TOKENS.finditer(text):
        token = match[0]
        if token in "[{":
            depth += 1
            if depth == DEEPEST:
                kept.append("null")
        if depth < DEEPEST:
            kept.append(token)
        if token in "]}":
            depth -= 1
    return "".join(kept)


_Integer = Annotated[int, Field(ge=_INTEGERS.start, lt=_INTEGERS.stop)]
_Time = Annotated[int, Field(ge=0, lt=2**32)]
_Count = Annotated[int, Field(ge=0, lt=2**31)]


class _Part(BaseModel):
    """The fields that handlers use; what else there is does not matter."""

    model_config = ConfigDict(strict=True)


class _User(_Part):
    id: _Integer
    first_name: str
    username: str | None = None
    language_code: str | None = None


class _Chat(_Part):
    id: _Integer
    type: str


class _Entity(_Part):
    type: str
    offset: _Count
    length: _Count
    user: _User | None = None


class _Document(_Part):
    file_id: str
    file_name: str | None = None
    file_size: _Integer | None = None


class _Message(_Part):
    message_id: _Integer
    date: _Time
    edit_date: _Time | None = None
    chat: _Chat
    author: _User | None = Field(default=None, alias="from")
    text: str | None = None
    caption: str | None = None
    entities: list[_Entity] = []
    caption_entities: list[_Entity] = []
    document: _Document | None = None
    media_group_id: str | None = None
    message_thread_id: _Integer | None = None


class _Written(_Message):
    """A message to the bot, or one that is edited; only a channel's posts have no author."""

    author: _User = Field(alias="from")
    reply_to_message: _Message | None = None


class _Query(_Part):
    id: str
    author: _User = Field(alias="from")
    message: _Message | None = None
    data: str | None = None


class _Member(_Part):
    status: str


class _MemberChange(_Part):
    chat: _Chat
    author: _User = Field(alias="from")
    old_chat_member: _Member
    new_chat_member: _Member


class _Update(_Part):
    message: _Written | None = None
    edited_message: _Written | None = None
    callback_query: _Query | None = None
    my_chat_member: _MemberChange | None = None
    # Telegram isn't asked for these, but all handlers look at whatever message there is.
    channel_post: _Message | None = None
    edited_channel_post: _Message | None = None
    business_message: _Message | None = None
    edited_business_message: _Message | None = None
    guest_message: _Message | None = None


_BESIDE_A_TEXT = {field.alias or name for name, field in _Message.model_fields.items()} | {
    *("forward_origin", "sender_chat", "is_automatic_forward"),
    *("is_topic_message", "direct_messages_topic"),
}
"""The fields of a message with which its text, or its file, can be answered where it is."""
