"""What the server keeps in memory: messages, taps, and the faults that a test orders."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, NamedTuple

from bot.clock import Clock
from bot.local.commands import Commands
from bot.local.feeds import EventLog, UpdateQueue
from bot.local.files import Files
from bot.local.params import ApiError
from bot.local.people import BOT, CHATS, MEMBERS, Json
from bot.local.webhook import Webhook

QUERY_LIFETIME = timedelta(seconds=15)
_IDS_START = datetime.fromisoformat("2025-01-01T00:00:00Z")


class Query(NamedTuple):
    """A tap on a button that the bot hasn't answered yet."""

    user_id: int
    chat_id: int
    asked_at: datetime


class Odd(NamedTuple):
    """An answer that is none of Telegram's, to so many requests of a method."""

    left: int
    status: int  # 0 if the connection ends without an answer
    body: str
    seconds: float  # of silence before it


class Faults:
    """Faults that a test orders: flood limits, failing methods, stale queries, odd answers."""

    def __init__(self) -> None:
        self.stale_queries = False
        self.moved: dict[int, int] = {}
        self._limited, self._retry_after, self._limited_chat = 0, 1, 0
        self._failing: dict[str, tuple[int, int]] = {}
        self._odd: dict[str, Odd] = {}

    def order(self, wish: Mapping[str, Any]) -> None:
        """Orders are `rate_limit: {next, retry_after, chat}`, `fail: {method, next, status}`,
        `odd: {method, next, status, body, seconds}`, `move: {group, supergroup}` and
        `stale_queries`; `next` counts requests, `retry_after` seconds. The limit is for all chats
        without `chat`; the method of a download is "file".
        """
        if "rate_limit" in wish:
            limit = wish["rate_limit"]
            self._limited, self._retry_after = int(limit["next"]), int(limit["retry_after"])
            self._limited_chat = int(limit.get("chat", 0))
        if "fail" in wish:
            failure = wish["fail"]
            method = str(failure["method"]).lower()
            self._failing[method] = int(failure["next"]), int(failure["status"])
        if "odd" in wish:
            odd = wish["odd"]
            left, status, body = int(odd["next"]), int(odd["status"]), str(odd["body"])
            self._odd[str(odd["method"]).lower()] = Odd(left, status, body, float(odd["seconds"]))
        if "move" in wish:
            self.moved[int(wish["move"]["group"])] = int(wish["move"]["supergroup"])
        if "stale_queries" in wish:
            self.stale_queries = bool(wish["stale_queries"])

    def odd(self, method: str) -> Odd | None:
        """The odd answer that a test ordered for this request. `method` is in lower case."""
        odd = self._odd.get(method)
        if odd is None or not odd.left:
            return None
        self._odd[method] = odd._replace(left=odd.left - 1)
        return odd

    def strike(self, method: str, chat_id: int) -> None:
        """Refuse a request if a test ordered it. `method` is in lower case."""
        left, status = self._failing.get(method, (0, 0))
        if left:
            self._failing[method] = left - 1, status
            raise ApiError(status, HTTPStatus(status).phrase)
        # Only methods that show a message count: a test limits "the next 3 answers".
        shows = method.startswith(("send", "edit")) and method != "sendchataction"
        if self._limited and shows and self._limited_chat in (0, chat_id):
            self._limited -= 1
            reason = f"Too Many Requests: retry after {self._retry_after}"
            raise ApiError(429, reason, retry_after=self._retry_after)


class State:
    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        # A bot remembers ids, so a restarted server must not use one again: all ids start from
        # the time in milliseconds and rise more slowly than it does. Ids of different things
        # differ, so that a bot that confuses them fails.
        now = clock()
        start = int((now - _IDS_START).total_seconds() * 1000)
        self.updates = UpdateQueue(int(now.timestamp() * 1000))
        self.webhook = Webhook(self.updates, clock)
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
        """A new message. A message is replaced by an edit, never changed."""
        message: Json = {"message_id": self._next_message_id, "from": author}
        message |= {"chat": CHATS[chat_id], "date": self.now()}
        self._next_message_id += 1
        if reply_to is not None:
            quoted = {key: value for key, value in reply_to.items() if key != "reply_to_message"}
            message["reply_to_message"] = quoted
        return self._show(message | content, "message", "message")

    def edit(self, old: Json, without: Collection[str], content: Json) -> Json:
        """The edited message: `old` without these keys, with `content`."""
        kept = {key: value for key, value in old.items() if key not in without}
        return self._show(kept | content | {"edit_date": self.now()}, "edited", "edited_message")

    def _show(self, message: Json, event: str, update: str) -> Json:
        """Keep a message and tell the chat's people of it, and the bot unless it is the bot's."""
        chat_id = message["chat"]["id"]
        self._messages[chat_id][message["message_id"]] = message
        self.tell(chat_id, event, message=message)
        if message["from"] is not BOT:
            self.updates.put(update, message)
        return message

    def delete(self, chat_id: int, message_id: int) -> None:
        del self._messages[chat_id][message_id]
        self.tell(chat_id, "deleted", message_id=message_id)

    def add_query(self, user: Json, chat_id: int, message_id: int, data: str) -> str:
        """The id of the callback query that a tap on a button becomes.

        Of a deleted message the query has an inaccessible one, as with Telegram's old messages.
        """
        query_id = str(self._next_query_id)
        self._next_query_id += 1
        self.queries[query_id] = Query(user["id"], chat_id, self.clock())
        gone = {"chat": CHATS[chat_id], "message_id": message_id, "date": 0}
        query = {"id": query_id, "from": user, "message": self.message(chat_id, message_id) or gone}
        query |= {"chat_instance": f"local-{chat_id}", "data": data}
        self.updates.put("callback_query", query)
        return query_id

    def tell(
        self, chat_id: int, kind: str, audience: Collection[int] | None = None, **content: object
    ) -> None:
        """Add an event for the chat's people, or for the `audience` among them."""
        people = MEMBERS[chat_id] if audience is None else audience
        self.events.add(people, {"type": kind, "chat_id": chat_id, **content})
