"""The running bot: from an application that is built to one that has stopped."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from telegram.error import InvalidToken, TelegramError
from telegram.ext import Updater

from bot.app import Kinorate
from bot.delivery.inbox import can_wait
from bot.delivery.polling import REFUSED_TOKEN, log_failure, start_polling
from bot.delivery.transactions import pause_before
from bot.delivery.webhook import start_webhook
from bot.errors import BotError
from bot.settings import Settings
from bot.views.menu import register_commands

SECONDS_TO_STOP_FETCHING = 5.0

logger = logging.getLogger(__name__)


async def serve(application: Kinorate, settings: Settings, stop: asyncio.Event) -> None:
    """Answer updates until `stop` is set; raises BotError where they can't be fetched."""
    updater = application.updater
    assert updater is not None
    try:
        if application.monitoring is not None:
            await application.monitoring.start()
        if await _unless(stop, _initialize(application)):
            await application.start()
            await _unless(stop, _fetch(application, updater, settings))
    finally:
        await _stop(application, updater)


async def _initialize(application: Kinorate) -> None:
    retry = 0
    while True:
        try:
            return await application.initialize()
        except InvalidToken:
            raise BotError(REFUSED_TOKEN) from None
        except TelegramError as error:
            if not can_wait(error):
                raise
            retry += 1
            log_failure("Telegram can't be reached", error)
            await asyncio.sleep(pause_before(retry))


async def _fetch(application: Kinorate, updater: Updater, settings: Settings) -> None:
    """Fetch updates until it is cancelled or raises BotError."""
    try:
        if settings.webhook_url:
            await start_webhook(updater, settings)
        else:
            await start_polling(updater)
    except InvalidToken:
        raise BotError(REFUSED_TOKEN) from None
    logger.info("ready")
    menus = asyncio.create_task(register_commands(application.bot, settings.admin_ids))
    try:
        if settings.webhook_url:
            await asyncio.Event().wait()
        await application.parts.pulse.watch()
    finally:
        menus.cancel()


async def _stop(application: Kinorate, updater: Updater) -> None:
    """Fetch no more updates, finish those that are being handled, close everything."""
    if updater.running:
        try:
            await asyncio.wait_for(updater.stop(), SECONDS_TO_STOP_FETCHING)
        except (TelegramError, TimeoutError) as error:  # what was fetched is in the inbox
            log_failure("fetching updates ended badly", error)
    if application.running:
        await application.stop()
    await application.shutdown()
    if application.monitoring is not None:
        await application.monitoring.stop()
    logger.info("stopped")


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Whether `work` has ended before `stop` was set, which cancels it."""
    task = asyncio.create_task(work)
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopped.cancel()
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
    if task.cancelled():
        return False
    task.result()
    return True
