"""Refusals of the Bot API, in Telegram's own words: bots tell them apart by their text."""

from typing import Any

from tornado.web import HTTPError


class ApiError(Exception):
    """A request is answered with `ok: false`, this code and this description."""

    def __init__(self, code: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.code, self.description, self.parameters = code, description, parameters

    @classmethod
    def bad_request(cls, reason: str) -> "ApiError":
        return cls(400, f"Bad Request: {reason}")


class ChatError(HTTPError):
    """What a person at the chat page asked for can't be done; `reason` is plain ASCII."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason=reason)
