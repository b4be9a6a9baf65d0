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

from bot.texts.admin import AdminTexts, admin_texts_for
from bot.texts.en import ENGLISH
from bot.texts.ru import RUSSIAN
from bot.texts.texts import Texts

logger = logging.getLogger(__name__)


async def register_commands(bot: Bot, admin_ids: Sequence[int]) -> None:
    """Tell Telegram which commands there are: Russian by default, English where it speaks it."""
    for language_code, texts in ((None, RUSSIAN), ("en", ENGLISH)):
        scopes: list[tuple[BotCommandScope, list[BotCommand]]] = [
            (BotCommandScopeAllPrivateChats(), private_commands(texts)),
            (BotCommandScopeAllGroupChats(), group_commands(texts)),
        ]
        for scope, commands in scopes:
            await bot.set_my_commands(commands, scope, language_code)
        for admin_id in admin_ids:
            commands = private_commands(texts) + admin_commands(admin_texts_for(language_code))
            try:
                await bot.set_my_commands(commands, BotCommandScopeChat(admin_id), language_code)
            except BadRequest as error:  # until they write to the bot, Telegram knows no such chat
                logger.warning("no menu for an admin", exc_info=error, extra={"admin": admin_id})


def private_commands(texts: Texts) -> list[BotCommand]:
    return [
        BotCommand("start", texts.menu_start),
        BotCommand("help", texts.menu_help),
        BotCommand("history", texts.menu_history),
        BotCommand("privacy", texts.menu_privacy),
        BotCommand("export", texts.menu_export),
        BotCommand("forget", texts.menu_forget),
    ]


def group_commands(texts: Texts) -> list[BotCommand]:
    return [BotCommand("rate", texts.menu_rate), BotCommand("help", texts.menu_help)]


def admin_commands(texts: AdminTexts) -> list[BotCommand]:
    """What admins see besides, in their own chat with the bot."""
    return [
        BotCommand("stats", texts.menu_stats),
        BotCommand("errors", texts.menu_errors),
        BotCommand("models", texts.menu_models),
        BotCommand("retrain", texts.menu_retrain),
    ]
