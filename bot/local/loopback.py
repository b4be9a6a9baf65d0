"""What all requests have in common: they come from this machine, and from no other site."""

from typing import Any
from urllib.parse import urlsplit

from tornado.web import RequestHandler

from bot.local.errors import ChatError

OWN_NAMES = {"127.0.0.1", "localhost"}


class LoopbackHandler(RequestHandler):
    """Listening on loopback keeps other machines out; this keeps out other sites' pages, which
    the browser of the person at this machine would let through.
    """

    def prepare(self) -> None:
        # Another name for this address would make a foreign page the same origin (DNS rebinding).
        if urlsplit(f"//{self.request.host}").hostname not in OWN_NAMES:
            raise ChatError(403, "unknown host")
        origin = self.request.headers.get("Origin")
        is_foreign = origin is not None and origin != f"http://{self.request.host}"
        site = self.request.headers.get("Sec-Fetch-Site", "none")
        if is_foreign or (site not in ("none", "same-origin") and not self._is_visit()):
            raise ChatError(403, "foreign origin")

    def set_default_headers(self) -> None:
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Content-Type-Options", "nosniff")

    def write_error(self, status_code: int, **_kwargs: Any) -> None:
        self.finish({"error": self._reason, "error_code": status_code})

    def _is_visit(self) -> bool:
        """A link to the page may be followed from anywhere."""
        return self.request.path == "/" and self.request.method in ("GET", "HEAD")
