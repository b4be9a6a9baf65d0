"""Ports for servers that must be told one."""

import random
import socket
from contextlib import suppress

_CHANCE = random.SystemRandom()  # two processes of tests must not draw alike


def free_port() -> int:
    """One that nobody listens on, below those the system hands out to connections."""
    while True:
        port = _CHANCE.randrange(20_000, 32_000)
        with socket.socket() as found, suppress(OSError):
            found.bind(("127.0.0.1", port))
            return port
