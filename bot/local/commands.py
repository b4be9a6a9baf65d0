"""The bot's command lists, and which of them a person sees in a chat."""

import re
from collections.abc import Iterator

from bot.local.errors import ApiError
from bot.local.params import number
from bot.local.people import CHATS, USERS, Json

_Scope = tuple[str, int, int]
"""Its type, chat and user; 0 where it has none."""
_DEFAULT: _Scope = ("default", 0, 0)


class Commands:
    def __init__(self) -> None:
        self._lists: dict[tuple[_Scope, str], list[Json]] = {}

    def set(self, scope: Json | None, language: str, commands: list[Json]) -> None:
        key = _scope(scope), _language(language)
        checked = [_command(command) for command in commands]
        if len(checked) > 100:
            raise ApiError.bad_request("BOT_COMMANDS_TOO_MUCH")
        if checked:
            self._lists[key] = checked
        else:
            self._lists.pop(key, None)

    def get(self, scope: Json | None, language: str) -> list[Json]:
        return self._lists.get((_scope(scope), _language(language)), [])

    def shown(self, user: Json, chat: Json) -> list[Json]:
        """The narrowest list wins, and in it the one in the person's language."""
        for scope in _scopes(user["id"], chat):
            for language in (user["language_code"], ""):
                if commands := self._lists.get((scope, language)):
                    return commands
        return []


def _scopes(user_id: int, chat: Json) -> Iterator[_Scope]:
    """From narrow to wide. Nobody is an administrator of the group."""
    if chat["type"] == "private":
        yield "chat", chat["id"], 0
        yield "all_private_chats", 0, 0
    else:
        yield "chat_member", chat["id"], user_id
        yield "chat", chat["id"], 0
        yield "all_group_chats", 0, 0
    yield _DEFAULT


def _scope(scope: Json | None) -> _Scope:
    if scope is None:
        return _DEFAULT
    if not isinstance(scope, dict):
        raise ApiError.bad_request("can't parse BotCommandScope: BotCommandScope must be an Object")
    kind = scope.get("type")
    if kind in ("default", "all_private_chats", "all_group_chats", "all_chat_administrators"):
        return kind, 0, 0
    if kind not in ("chat", "chat_administrators", "chat_member"):
        raise ApiError.bad_request("can't parse BotCommandScope: unsupported type specified")
    chat_id = number(scope.get("chat_id"))
    if chat_id not in CHATS:
        raise ApiError.bad_request("chat not found")
    user_id = number(scope.get("user_id")) if kind == "chat_member" else 0
    if user_id and user_id not in USERS:
        raise ApiError.bad_request("user not found")
    return kind, chat_id, user_id


def _language(code: str) -> str:
    if code and not re.fullmatch("[a-z]{2}", code):
        raise ApiError.bad_request("invalid language code specified")
    return code


def _command(command: Json) -> Json:
    if not isinstance(command, dict):
        raise ApiError.bad_request("expected an Object of type BotCommand")
    name = str(command.get("command", "")).removeprefix("/")
    description = str(command.get("description", ""))
    if not re.fullmatch("[a-z0-9_]{1,32}", name):
        raise ApiError.bad_request("BOT_COMMAND_INVALID")
    if not 1 <= len(description) <= 256:
        raise ApiError.bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    return {"command": name, "description": description}
