"""Where this machine's own servers listen, and which requests they answer: of no other site."""

import ipaddress
import socket
from urllib.parse import urlsplit

from tornado.httputil import HTTPServerRequest
from tornado.netutil import bind_sockets
from tornado.web import RequestHandler

LOOPBACK = "127.0.0.1"
OWN_NAMES = {LOOPBACK, "localhost"}


def is_open(host: str) -> bool:
    """Whether other machines reach a server that listens on this IP address."""
    return not ipaddress.ip_address(host).is_loopback


def listen(port: int, host: str) -> list[socket.socket]:
    """Sockets on `host`, and on loopback, where the bot and a health check come from.

    Port 0 is any free one, the same for both. Raises OSError.
    """
    sockets = bind_sockets(port, host)
    if host not in (LOOPBACK, "0.0.0.0"):
        try:
            sockets += bind_sockets(sockets[0].getsockname()[1], LOOPBACK)
        except OSError:
            sockets[0].close()
            raise
    return sockets


def why_foreign(
    request: HTTPServerRequest, *, is_open: bool = False, is_visit: bool = False
) -> str | None:
    """Why a request is refused: the browser on this machine sends it for another site's page.

    `is_visit`: a link may be followed from anywhere. `is_open`: the operator let other machines
    reach the server, by whatever name they have for it, and maybe through a proxy that does HTTPS.
    """
    # Another name for this address would make a foreign page the same origin (DNS rebinding). That
    # opens what only this machine reaches, so it is nothing to a server that others reach too.
    name = _name(request.host)
    if name is None or not (is_open or name in OWN_NAMES):
        return "unknown host"
    origin = request.headers.get("Origin")
    schemes = ("http", "https") if is_open else ("http",)
    is_foreign = origin is not None and origin not in [f"{s}://{request.host}" for s in schemes]
    site = request.headers.get("Sec-Fetch-Site", "none")
    if is_foreign or (site not in ("none", "same-origin") and not is_visit):
        return "foreign origin"
    return None


def harden(handler: RequestHandler) -> None:
    """Have a browser store nothing of the answer, guess no type, and show it in no frame."""
    handler.set_header("Cache-Control", "no-store")
    handler.set_header("X-Content-Type-Options", "nosniff")
    handler.set_header("X-Frame-Options", "DENY")
    handler.set_header(
        "Content-Security-Policy",
        "default-src 'self'; img-src 'self' blob: data:; frame-ancestors 'none'",
    )


def _name(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:  # such as «[»
        return None
