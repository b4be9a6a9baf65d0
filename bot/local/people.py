"""Who is in the local chat. They count as having started the bot: it may write to each of them."""

from typing import Any

Json = dict[str, Any]
"""An object of the Bot API, such as a Message, as it travels."""

LOCAL_TOKEN = "1:local"
LOCAL_ADMIN_ID = 1002

BOT: Json = {"id": 1, "is_bot": True, "first_name": "Kinorate", "username": "kinorate_bot"}


def _person(user_id: int, first_name: str, language_code: str) -> Json:
    return {
        "id": user_id,
        "is_bot": False,
        "first_name": first_name,
        "language_code": language_code,
    }


USERS: dict[int, Json] = {
    user["id"]: user
    for user in (
        _person(1001, "Аня", "ru"),
        _person(LOCAL_ADMIN_ID, "Борис", "ru"),
        _person(1003, "Emily", "en"),
    )
}

CHATS: dict[int, Json] = {
    user_id: {"id": user_id, "type": "private", "first_name": user["first_name"]}
    for user_id, user in USERS.items()
} | {-1001: {"id": -1001, "type": "group", "title": "Киноклуб"}}

MEMBERS: dict[int, frozenset[int]] = {
    chat_id: frozenset([chat_id] if chat["type"] == "private" else USERS)
    for chat_id, chat in CHATS.items()
}
"""The people of each chat; the bot is in all of them."""
