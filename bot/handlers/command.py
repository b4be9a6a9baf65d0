"""Commands, which a caption may hold as well as a text; PTB's own handler reads texts alone."""

from typing import Any

from telegram import Message, MessageEntity, Update
from telegram.ext import CommandHandler, filters

from bot.handlers.incoming import entities_of, text_of


def command_of(message: Message) -> str | None:
    """The command that a text or caption begins with, such as /rate@kinorate_bot."""
    for entity, text in entities_of(message).items():
        if entity.type == MessageEntity.BOT_COMMAND and entity.offset == 0:
            return text
    return None


class _Command(filters.MessageFilter):
    """Messages that begin with a command, whichever it is."""

    def filter(self, message: Message) -> bool:
        return command_of(message) is not None


COMMAND = _Command()


class Command(CommandHandler[Any, None]):
    def check_update(self, update: object) -> Any:
        """The command's arguments and what the filters found, if this handler is for the update."""
        if not isinstance(update, Update) or update.effective_message is None:
            return None
        message = update.effective_message
        command = command_of(message)
        if command is None:
            return None
        name, _, addressed = command.removeprefix("/").lower().partition("@")
        bot_name = message.get_bot().username.lower()
        if name not in self.commands or (addressed or bot_name) != bot_name:
            return None
        found = self.filters.check_update(update)
        return (text_of(message).split()[1:], found) if found else False
