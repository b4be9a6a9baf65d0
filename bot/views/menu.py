"""The commands that Telegram shows in its menu, by chat and language."""

import logging
from collections.abc import Sequence

from telegram import (
    Bot,
    BotCommand,
    BotCommandScope,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
)
from telegram.error import BadRequest

from bot.texts.conversation import ADMIN_MENU, GROUP_MENU, PRIVATE_MENU
from bot.texts.locale import ENGLISH, RUSSIAN, Locale, Phrase

logger = logging.getLogger(__name__)


async def register_commands(bot: Bot, admin_ids: Sequence[int]) -> None:
    """Tell Telegram the commands: in Russian by default, in English to English clients."""
    for language_code, locale in ((None, RUSSIAN), ("en", ENGLISH)):
        scopes: list[tuple[BotCommandScope, list[BotCommand]]] = [
            (BotCommandScopeAllPrivateChats(), _commands(PRIVATE_MENU, locale)),
            (BotCommandScopeAllGroupChats(), _commands(GROUP_MENU, locale)),
        ]
        for scope, commands in scopes:
            await bot.set_my_commands(commands, scope, language_code)
        for admin_id in admin_ids:
            commands = _commands(PRIVATE_MENU | ADMIN_MENU, locale)
            try:
                await bot.set_my_commands(commands, BotCommandScopeChat(admin_id), language_code)
            except BadRequest as error:  # until they write to the bot, Telegram knows no such chat
                logger.warning("no menu for an admin", exc_info=error, extra={"admin": admin_id})


def _commands(menu: dict[str, Phrase], locale: Locale) -> list[BotCommand]:
    return [BotCommand(command, locale(phrase)) for command, phrase in menu.items()]
