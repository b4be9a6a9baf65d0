"""The bot, people and chats. The bot may write to everyone, as if all had started it."""

from typing import Any

Json = dict[str, Any]
"""An object of the Bot API, such as a Message, as JSON."""

LOCAL_TOKEN = "1:local"
LOCAL_ADMIN_ID = 1002

BOT: Json = {"id": 1, "is_bot": True, "first_name": "Kinorate", "username": "kinorate_bot"}

USERS: dict[int, Json] = {
    user_id: {"id": user_id, "is_bot": False, "first_name": name, "language_code": language}
    for user_id, name, language in zip(
        (1001, LOCAL_ADMIN_ID, 1003), ("Аня", "Борис", "Emily"), ("ru", "ru", "en"), strict=True
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
