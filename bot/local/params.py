"""The parameters and files of a request in any of the Bot API's encodings, and its refusal."""

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from tornado.httputil import HTTPServerRequest
from tornado.web import HTTPError

from bot.local.text import is_unicode

MAX_UPLOAD = 50 * 1024 * 1024  # bytes that a bot may send


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


class Upload(NamedTuple):
    name: str
    mime_type: str
    content: bytes


class Params:
    def __init__(self, values: Mapping[str, Any], uploads: Mapping[str, Upload]) -> None:
        self.values, self.uploads = values, uploads

    @classmethod
    def of(cls, request: HTTPServerRequest) -> "Params":
        """Raises ApiError if they can't be read."""
        if len(request.body) > MAX_UPLOAD:
            raise ApiError(413, "Request Entity Too Large")
        values: dict[str, Any] = {}
        for name, given in request.arguments.items():
            try:
                values[name] = given[-1].decode()
            except UnicodeDecodeError:
                raise ApiError.bad_request("strings must be encoded in UTF-8") from None
        if request.headers.get("Content-Type", "").startswith("application/json"):
            try:
                values |= json.loads(request.body or b"{}")
            except (ValueError, TypeError):
                reason = "can't parse request: body must be a JSON object"
                raise ApiError.bad_request(reason) from None
        uploads = {
            name: Upload(files[-1].filename, files[-1].content_type, files[-1].body)
            for name, files in request.files.items()
        }
        return cls(values, uploads)

    def __contains__(self, name: str) -> bool:
        return self.values.get(name) is not None

    def text(self, name: str) -> str:
        """As a string; "" if it is missing."""
        value = self.values.get(name)
        text = value if isinstance(value, str) else "" if value is None else json.dumps(value)
        if not is_unicode(text):
            raise ApiError.bad_request("strings must be encoded in UTF-8")
        return text

    def integer(self, name: str, default: int = 0) -> int:
        """As a number; `default` if it is missing or no number, as in Telegram."""
        text = self.text(name).strip()
        return int(text) if re.fullmatch(r"-?[0-9]{1,18}", text) else default

    def boolean(self, name: str) -> bool:
        return self.text(name).strip().lower() in {"true", "yes", "1", "t"}

    def json(self, name: str, what: str) -> Any:
        """As a JSON value; None if it is missing or empty. A refusal calls it `what`."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        if not value.strip():
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise ApiError.bad_request(f"can't parse {what} JSON object") from None

    def object(self, name: str, what: str) -> "Params":
        """The parameters in an object of the request, such as `scope`; none if it is missing."""
        value = self.json(name, what)
        value = {} if value is None else value
        if not isinstance(value, dict):
            raise ApiError.bad_request(f"object expected as {what}")
        return Params(value, {})
