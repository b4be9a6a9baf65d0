"""The parameters of a Bot API request, whichever of its encodings they came in."""

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from bot.local.errors import ApiError
from bot.local.text import is_unicode


def number(value: object, default: int = 0) -> int:
    """A number, which may come as a string; `default` if it isn't one."""
    text = str(value).strip()
    return int(text) if re.fullmatch(r"-?[0-9]{1,18}", text) else default


class Upload(NamedTuple):
    name: str
    mime_type: str
    content: bytes


class Params:
    def __init__(self, values: Mapping[str, Any], uploads: Mapping[str, Upload]) -> None:
        self._values, self.uploads = values, uploads

    def __contains__(self, name: str) -> bool:
        return self._values.get(name) is not None

    def text(self, name: str) -> str:
        """As a string; "" if it is missing."""
        value = self._values.get(name)
        text = value if isinstance(value, str) else "" if value is None else json.dumps(value)
        if not is_unicode(text):
            raise ApiError.bad_request("strings must be encoded in UTF-8")
        return text

    def integer(self, name: str, default: int = 0) -> int:
        """As a number; `default` if it is missing or isn't one, as Telegram has it."""
        return number(self.text(name), default)

    def boolean(self, name: str) -> bool:
        return self.text(name).strip().lower() in {"true", "yes", "1", "t"}

    def json(self, name: str, what: str) -> Any:
        """As a JSON value, `what` names it in the refusal; None if it is missing or empty."""
        value = self._values.get(name)
        if not isinstance(value, str):
            return value
        if not value.strip():
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise ApiError.bad_request(f"can't parse {what} JSON object") from None
