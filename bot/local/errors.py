"""The exception for a refused request of the bot or the page."""

from typing import Any

from tornado.web import HTTPError


class ApiError(HTTPError):
    """A request that is answered with this status and description.

    For bots it is in Telegram's own words, because bots tell refusals apart by their text.
    """

    def __init__(self, code: int, description: str, **parameters: Any) -> None:
        super().__init__(code)
        self.description, self.parameters = description, parameters

    @classmethod
    def bad_request(cls, reason: str) -> "ApiError":
        return cls(400, f"Bad Request: {reason}")
