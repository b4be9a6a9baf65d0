"""What systemd is told of the bot: that it is ready, that it lives, how it is (sd_notify(3)).

A datagram to a socket is all of that protocol. Of its Python packages one needs systemd's headers
and a compiler, another has had no release since 2017.
"""

import asyncio
import logging
import os
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress

from bot.monitoring.health import Health

logger = logging.getLogger(__name__)


def tell(*states: str) -> None:
    """Such as READY=1; nothing where systemd has not started the bot."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):  # in Linux's abstract name space
        address = "\0" + address[1:]
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
        out.setblocking(False)  # the bot's answers don't wait for systemd
        out.sendto("\n".join(states).encode(), address)


async def keep_telling(examine: Callable[[], Awaitable[Health]]) -> None:
    """Say for ever how the bot is, and that it lives unless it is stuck.

    Where it says nothing for WatchdogSec, as where the event loop is blocked, systemd starts the
    bot again. Trouble of others (Telegram, the database) is told and no reason for that.
    """
    if not os.environ.get("NOTIFY_SOCKET"):
        return
    pause = float(os.environ.get("WATCHDOG_USEC", 60e6)) / 1e6 / 3
    while True:
        health = await examine()
        how = f"answers by {health.model}" if health.model else "trains its first models"
        says = " ".join((*health.problems, *health.warnings)) or how
        tell(f"STATUS={says}", *([] if health.is_stuck else ["WATCHDOG=1"]))
        if health.is_stuck:
            logger.error("stuck", extra={"problems": health.problems})
        await asyncio.sleep(pause)
