"""The commands that Telegram shows in its menu, by chat and language."""

import asyncio
import logging
from collections.abc import Sequence
from itertools import count

import telegram
from telegram import Bot, BotCommand, BotCommandScope
from telegram.error import RetryAfter, TelegramError

from bot.delivery.outgoing import seconds_of
from bot.delivery.processor import can_wait
from bot.delivery.transactions import pause_before
from bot.texts.conversation import ADMIN_MENU, GROUP_MENU, PRIVATE_MENU
from bot.texts.locale import ENGLISH, RUSSIAN, Locale, Phrase

logger = logging.getLogger(__name__)


async def register_commands(bot: Bot, admin_ids: Sequence[int]) -> None:
    """Tell Telegram the commands: in Russian by default, in English to English clients.

    Each menu is tried until Telegram takes it or refuses it for good, which may be long: the bot
    answers meanwhile.
    """
    for language_code, locale in ((None, RUSSIAN), ("en", ENGLISH)):
        private, group = _commands(PRIVATE_MENU, locale), _commands(GROUP_MENU, locale)
        await _register(bot, private, telegram.BotCommandScopeAllPrivateChats(), language_code)
        await _register(bot, group, telegram.BotCommandScopeAllGroupChats(), language_code)
        for admin_id in admin_ids:
            commands = [*private, *_commands(ADMIN_MENU, locale)]
            # Until an admin writes to the bot, Telegram knows no such chat.
            await _register(bot, commands, telegram.BotCommandScopeChat(admin_id), language_code)


async def _register(
    bot: Bot, commands: list[BotCommand], scope: BotCommandScope, language_code: str | None
) -> None:
    for retry in count(1):
        try:
            await bot.set_my_commands(commands, scope, language_code)
            return
        except TelegramError as error:
            facts = {"scope": scope.to_dict(), "why": f"{type(error).__name__}: {error}"}
            if not can_wait(error):
                logger.warning("a menu is refused", extra=facts)
                return
            pause = seconds_of(error) if isinstance(error, RetryAfter) else pause_before(retry)
            logger.warning("a menu is registered later", extra={**facts, "pause": pause})
            await asyncio.sleep(pause)


def _commands(menu: dict[str, Phrase], locale: Locale) -> list[BotCommand]:
    return [BotCommand(command, locale(phrase)) for command, phrase in menu.items()]
