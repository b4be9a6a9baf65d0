"""The base of all handlers: requests come from this machine and from no other site."""

from typing import Any
from urllib.parse import urlsplit

from tornado.web import RequestHandler

from bot.local.params import ApiError
from bot.local.people import Json
from bot.local.state import State

OWN_NAMES = {"127.0.0.1", "localhost"}


class LoopbackHandler(RequestHandler):
    """Refuses requests of other sites' pages, which the browser on this machine would send.

    Other machines can't reach the server, because it listens on loopback.
    """

    def prepare(self) -> None:
        # Another name for this address would make a foreign page the same origin (DNS rebinding).
        if urlsplit(f"//{self.request.host}").hostname not in OWN_NAMES:
            raise ApiError(403, "unknown host")
        origin = self.request.headers.get("Origin")
        is_foreign = origin is not None and origin != f"http://{self.request.host}"
        site = self.request.headers.get("Sec-Fetch-Site", "none")
        if is_foreign or (site not in ("none", "same-origin") and not self._is_visit()):
            raise ApiError(403, "foreign origin")

    def set_default_headers(self) -> None:
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Content-Type-Options", "nosniff")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs["exc_info"][1] if "exc_info" in kwargs else None
        if isinstance(error, ApiError):
            self.finish(self.refusal(status_code, error.description, error.parameters))
        else:
            self.finish(self.refusal(status_code, self._reason, {}))

    def refusal(self, code: int, description: str, _parameters: Json) -> Json:
        """The body of the answer to a request that is refused."""
        return {"error": description, "error_code": code}

    def _is_visit(self) -> bool:
        """A link to the page may be followed from anywhere."""
        return self.request.path == "/" and self.request.method in ("GET", "HEAD")


class StateHandler(LoopbackHandler):
    """Answers from what the server remembers."""

    def initialize(self, state: State) -> None:
        self.state = state
