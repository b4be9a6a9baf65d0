"""Which requests a server on loopback answers: those of this machine, and of no other site."""

from urllib.parse import urlsplit

from tornado.httputil import HTTPServerRequest
from tornado.web import RequestHandler

OWN_NAMES = {"127.0.0.1", "localhost"}


def why_foreign(request: HTTPServerRequest, *, is_visit: bool = False) -> str | None:
    """Why a request is refused: the browser on this machine sends it for another site's page.

    Other machines can't reach the server. `is_visit`: a link may be followed from anywhere.
    """
    # Another name for this address would make a foreign page the same origin (DNS rebinding).
    if _name(request.host) not in OWN_NAMES:
        return "unknown host"
    origin = request.headers.get("Origin")
    is_foreign = origin is not None and origin != f"http://{request.host}"
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
