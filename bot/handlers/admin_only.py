"""Commands and buttons that exist for admins alone, in their private chats with the bot.

Updates from anybody else reach the handlers after these, as if the command were unknown.
"""

from collections.abc import Callable, Collection, Coroutine
from typing import Any

from telegram import Update
from telegram.ext import CallbackQueryHandler, ContextTypes, filters

from bot.handlers.command import Command

Callback = Callable[[Update, ContextTypes.DEFAULT_TYPE], Coroutine[Any, Any, None]]


class AdminOnly:
    def __init__(self, admin_ids: Collection[int]) -> None:
        self._ids = frozenset(admin_ids)
        self._filter = (
            filters.UpdateType.MESSAGE & filters.ChatType.PRIVATE & filters.User(list(self._ids))
        )

    def command(self, name: str, callback: Callback) -> Command:
        """Handles /name, written by an admin in their private chat."""
        return Command(name, callback, self._filter)

    def taps(self, pattern: str, callback: Callback) -> CallbackQueryHandler[Any, None]:
        """Handles an admin's taps in their private chat; the pattern must match all of the data."""
        return _AdminTaps(self._ids, pattern, callback)


class _AdminTaps(CallbackQueryHandler[Any, None]):
    def __init__(self, admin_ids: Collection[int], pattern: str, callback: Callback) -> None:
        super().__init__(callback, rf"\A(?:{pattern})\Z")
        self._admin_ids = admin_ids

    def check_update(self, update: object) -> Any:
        query = update.callback_query if isinstance(update, Update) else None
        if query is None or query.from_user.id not in self._admin_ids or query.message is None:
            return None
        if query.message.chat.type != query.message.chat.PRIVATE:
            return None
        return super().check_update(update)
