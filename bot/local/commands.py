"""The bot's command lists, and which of them a person sees in a chat."""

import re

from bot.local.params import ApiError, Params
from bot.local.people import CHATS, Json

_Scope = tuple[str, int]
"""Its type and chat; 0 where it has none."""
_DEFAULT: _Scope = ("default", 0)


class Commands:
    def __init__(self) -> None:
        self._lists: dict[tuple[_Scope, str], list[Json]] = {}

    def set(self, params: Params) -> None:
        """Handle setMyCommands; an empty list removes the one of this scope and language."""
        commands, language = params.json("commands", "commands"), params.text("language_code")
        if not isinstance(commands, list):
            raise ApiError.bad_request("expected an Array of BotCommand")
        if language and not re.fullmatch("[a-z]{2}", language):
            raise ApiError.bad_request("invalid language code specified")
        key = _scope(params.object("scope", "BotCommandScope")), language
        checked = [_command(command) for command in commands]
        if len(checked) > 100:
            raise ApiError.bad_request("BOT_COMMANDS_TOO_MUCH")
        self._lists.pop(key, None)
        if checked:
            self._lists[key] = checked

    def shown(self, user: Json, chat: Json) -> list[Json]:
        """The list of the narrowest scope, there the one in the person's language."""
        wide = "all_private_chats" if chat["type"] == "private" else "all_group_chats"
        for scope in (("chat", chat["id"]), (wide, 0), _DEFAULT):
            for language in (user["language_code"], ""):
                if commands := self._lists.get((scope, language)):
                    return commands
        return []


def _scope(scope: Params) -> _Scope:
    kind = scope.text("type") or "default"
    if kind in ("default", "all_private_chats", "all_group_chats"):
        return kind, 0
    if kind != "chat":
        raise ApiError.bad_request("the local chat has no command scope of this type")
    chat_id = scope.integer("chat_id")
    if chat_id not in CHATS:
        raise ApiError.bad_request("chat not found")
    return kind, chat_id


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
