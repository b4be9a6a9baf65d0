"""The base of all handlers: requests come from this machine, of who was given the key."""

import secrets
from typing import Any
from urllib.parse import urlsplit

from tornado.web import RequestHandler

from bot.local.params import ApiError
from bot.local.people import Json
from bot.local.state import State
from bot.loopback import harden, why_foreign


class LoopbackHandler(RequestHandler):
    """Refuses requests of other sites' pages, which the browser on this machine would send."""

    def prepare(self) -> None:
        is_open = self.settings["is_open"]
        if reason := why_foreign(self.request, is_open=is_open, is_visit=self._is_visit()):
            raise ApiError(403, reason)

    def set_default_headers(self) -> None:
        harden(self)

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


class ChatSideHandler(LoopbackHandler):
    """Serves whoever was given the key: in the address once, in a cookie from then on.

    Other users of this machine reach the port too.
    """

    def prepare(self) -> None:
        super().prepare()
        key: str | None = self.settings["key"]
        if key is None:
            return
        given = self.get_query_argument("key", "")
        if self._is_key(given, key):
            # Cookies know no ports, so the name has it.
            name = self._cookie()
            self.set_cookie(name, key, httponly=True, samesite="Lax")
            if self._is_visit():
                self.redirect("/")
        elif not self._is_key(self.get_cookie(self._cookie(), "") or "", key):
            raise ApiError(403, "open the address that the program printed, with its key")

    def _cookie(self) -> str:
        return f"kinorate_{urlsplit(f'//{self.request.host}').port or 80}"

    def _is_key(self, given: str, key: str) -> bool:
        return secrets.compare_digest(given.encode("utf-8", "replace"), key.encode())
