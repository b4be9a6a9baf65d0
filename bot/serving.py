"""The running bot: from an application that is built to one that has stopped."""

import asyncio
import logging

from telegram.error import InvalidToken, TelegramError

from bot.app import Kinorate
from bot.delivery.polling import Polling, poll_in_turn
from bot.delivery.retries import CONFLICTS, check_token, log_failure
from bot.delivery.transactions import pause_before
from bot.delivery.webhook import Webhook
from bot.errors import BotError
from bot.monitoring import systemd
from bot.settings import Settings
from bot.stopping import Stopped, unless
from bot.views.menu import register_commands
from db.advisory_lock import AdvisoryLock, Task

SECONDS_TO_STOP = 7.5
"""How long a stop may take whatever is away; what is not done by then is done after a start."""

logger = logging.getLogger(__name__)


async def serve(application: Kinorate, settings: Settings, stop: asyncio.Event) -> None:
    """Answer updates until `stop` is set; raises BotError where they can't be fetched."""
    try:
        if application.monitoring is not None:
            await application.monitoring.start()
        await unless(stop, _initialize(application))
        await application.start()
        await unless(stop, _fetch(application, settings))
    except Stopped:
        pass
    finally:
        systemd.tell("STOPPING=1")
        closing = asyncio.create_task(_close(application))
        _, late = await asyncio.wait({closing}, timeout=SECONDS_TO_STOP)
        if late:
            logger.warning("stopped before everything was closed")
        else:
            closing.result()
            logger.info("stopped")


async def _initialize(application: Kinorate) -> None:
    retry = 0
    while True:
        try:
            return await application.initialize()
        except InvalidToken:
            await check_token(application.bot)
        except TelegramError as error:
            log_failure("Telegram can't be reached", error)
        retry += 1
        await asyncio.sleep(pause_before(retry))


async def _fetch(application: Kinorate, settings: Settings) -> None:
    """Fetch and handle updates until it is cancelled or raises; BotError where others stop it."""
    bot, parts = application.bot, application.parts
    await parts.lease.begin()
    lasting = [
        asyncio.create_task(_bring(application, settings), name="fetching updates"),
        asyncio.create_task(parts.lease.keep(), name="renewing the lease"),
        asyncio.create_task(parts.claiming.run(bot, parts.database.engine), name="claiming"),
    ]
    others = [
        asyncio.create_task(register_commands(bot, settings.admin_ids), name="menus"),
        asyncio.create_task(systemd.keep_telling(parts.checkup.examine), name="systemd"),
    ]
    logger.info("ready")
    systemd.tell("READY=1")
    try:
        ended, _ = await asyncio.wait(lasting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (*lasting, *others):
            task.cancel()
        await asyncio.wait((*lasting, *others))
    for task in ended:
        if not task.cancelled():
            task.result()
        raise BotError(f"The bot stands still, {task.get_name()} has ended: start it again.")


async def _bring(application: Kinorate, settings: Settings) -> None:
    """Have updates come into the inbox, here or in another process."""
    bot, parts = application.bot, application.parts
    if settings.webhook_url:
        await Webhook(settings, bot, parts.inbox, parts.pulse).run()
    if not parts.database.is_shared:
        await Polling(bot, application.polling, parts.inbox, parts.pulse).run()
    # One of ours that has lost its turn, and does not know it yet, may fetch for some seconds.
    polling = Polling(bot, application.polling, parts.inbox, parts.pulse, 2 * CONFLICTS)
    turn = AdvisoryLock(parts.database.engine, Task.FETCHING)
    await poll_in_turn(polling, turn, parts.pulse)


async def _close(application: Kinorate) -> None:
    """Finish the updates that are being handled, close everything."""
    if application.running:
        await application.stop()
    await application.shutdown()
    if application.monitoring is not None:
        await application.monitoring.stop()
