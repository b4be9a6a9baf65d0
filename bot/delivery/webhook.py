"""Updates that Telegram brings itself, to an address behind a proxy that does HTTPS."""

import re
from urllib.parse import urlsplit

from telegram.ext import Updater

from bot.delivery.inbox import ALLOWED_UPDATES
from bot.errors import BotError
from bot.settings import Settings


async def start_webhook(updater: Updater, settings: Settings) -> None:
    """Listen, and tell Telegram where; raises BotError where the port can't be listened on."""
    assert settings.webhook_url is not None
    assert settings.webhook_secret is not None  # Settings has checked it
    try:
        await updater.start_webhook(
            listen=settings.webhook_host,
            port=settings.webhook_port,
            url_path=re.escape(urlsplit(settings.webhook_url).path),  # PTB makes a pattern of it
            webhook_url=settings.webhook_url,
            secret_token=settings.webhook_secret.get_secret_value(),
            bootstrap_retries=-1,
            allowed_updates=ALLOWED_UPDATES,
            drop_pending_updates=False,
        )
    except OSError as error:
        raise BotError(
            f"WEBHOOK_HOST {settings.webhook_host} and WEBHOOK_PORT {settings.webhook_port}"
            f" can't be listened on: {error.strerror}."
        ) from error
