"""Everything the server remembers, in memory: messages, and what goes to the bot and to people."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from bot.clock import Clock
from bot.local.commands import Commands
from bot.local.events import EventLog
from bot.local.faults import Faults
from bot.local.files import Files
from bot.local.people import BOT, CHATS, MEMBERS, Json
from bot.local.updates import UpdateQueue

QUERY_LIFETIME = timedelta(seconds=15)
_IDS_START = datetime.fromisoformat("2025-01-01T00:00:00Z")


class Query(NamedTuple):
    """A tap on a button that the bot hasn't answered yet."""

    user_id: int
    chat_id: int
    asked_at: datetime


class State:
    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        # A bot remembers ids, so a later server must not use them again: all numbers start from
        # the time, and rise slower than it. They differ, so that a bot that confuses them fails.
        now = clock()
        start = int((now - _IDS_START).total_seconds() * 1000)
        self.updates = UpdateQueue(int(now.timestamp() * 1000))
        self.events = EventLog(start)
        self.files = Files(start)
        self.commands = Commands()
        self.faults = Faults()
        self.blocked: set[int] = set()
        self.queries: dict[str, Query] = {}
        self._next_message_id = start
        self._next_query_id = start * 1000
        self._messages: dict[int, dict[int, Json]] = {chat_id: {} for chat_id in CHATS}

    def now(self) -> int:
        return int(self.clock().timestamp())

    def messages(self, chat_id: int) -> list[Json]:
        return list(self._messages[chat_id].values())

    def message(self, chat_id: int, message_id: int) -> Json | None:
        return self._messages[chat_id].get(message_id)

    def post(self, chat_id: int, author: Json, content: Json, reply_to: Json | None) -> Json:
        """A new message, seen by everyone in the chat. Messages are replaced, never changed."""
        message: Json = {
            "message_id": self._next_message_id,
            "from": author,
            "chat": CHATS[chat_id],
            "date": self.now(),
        }
        self._next_message_id += 1
        if reply_to is not None:
            quoted = {key: value for key, value in reply_to.items() if key != "reply_to_message"}
            message["reply_to_message"] = quoted
        message |= content
        self._messages[chat_id][message["message_id"]] = message
        self.tell(chat_id, "message", message=message)
        if author is not BOT:
            self.updates.put("message", message)
        return message

    def replace(self, old: Json, without: Iterable[str], content: Json) -> Json:
        """An edited message: `old` without these keys, with `content`."""
        dropped = set(without)
        message = {key: value for key, value in old.items() if key not in dropped} | content
        chat_id = message["chat"]["id"]
        self._messages[chat_id][message["message_id"]] = message
        self.tell(chat_id, "edited", message=message)
        if message["from"] is not BOT:
            self.updates.put("edited_message", message)
        return message

    def delete(self, chat_id: int, message_id: int) -> None:
        del self._messages[chat_id][message_id]
        self.tell(chat_id, "deleted", message_id=message_id)

    def ask(self, user: Json, chat_id: int, message_id: int, data: str) -> str:
        """A tap on a button: the callback query's id."""
        query_id = str(self._next_query_id)
        self._next_query_id += 1
        self.queries[query_id] = Query(user["id"], chat_id, self.clock())
        gone = {"chat": CHATS[chat_id], "message_id": message_id, "date": 0}
        query = {
            "id": query_id,
            "from": user,
            "message": self.message(chat_id, message_id) or gone,
            "chat_instance": f"local-{chat_id}",
            "data": data,
        }
        self.updates.put("callback_query", query)
        return query_id

    def tell(
        self, chat_id: int, kind: str, audience: Collection[int] | None = None, **content: object
    ) -> None:
        """An event for those in the chat, or for some of them."""
        people = MEMBERS[chat_id] if audience is None else audience
        self.events.add(people, {"type": kind, "chat_id": chat_id, **content})
