"""Requests to the Bot API. What Telegram itself did not say is a failure of the way to it.

A portal or a proxy answers in Telegram's place with pages, with other JSON, or with nothing. PTB
takes such answers for refusals, or fails in parsing them; here they are NetworkErrors, after which
a request is made again.
"""

import re
from http import HTTPStatus
from typing import Any

from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)
from telegram.request import HTTPXRequest

from bot.delivery.raw_updates import Json, parse_json

USUAL_WAIT = 5
"""Seconds to wait where Telegram asks for patience and does not say for how long."""

_SAY_YES = {"sendchataction", "answercallbackquery", "setmycommands", "setwebhook", "deletewebhook"}
"""Methods whose result is `true`; the others' are objects, and getUpdates' an array."""

_MESSAGE = {"message_id", "date", "chat"}
_FIELDS = {"getme": {"id", "is_bot", "first_name"}, "getfile": {"file_id", "file_unique_id"}}
"""What PTB needs of such an object."""


class TelegramRequest(HTTPXRequest):
    async def do_request(
        self, url: str, method: str, *args: Any, **kwargs: Any
    ) -> tuple[int, bytes]:
        """An answer that grants the request; any other is raised as the error that it means."""
        try:
            status, body = await super().do_request(url, method, *args, **kwargs)
        except UnicodeEncodeError as error:  # half of a surrogate pair: no network would mend it
            raise BadRequest("the request holds what UTF-8 can't") from error
        answer = _said(body)
        if method == "GET":
            return _downloaded(status, body, answer)
        if answer is None and status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            # The server before Telegram's says so, in HTML: it would say so again.
            raise BadRequest("Request Entity Too Large")
        if answer is None:
            raise NetworkError(f"HTTP {status} with {len(body)} bytes is no answer of Telegram")
        if answer["ok"]:
            if not _fits(url, answer.get("result")):
                raise NetworkError("Telegram's answer lacks its result")
            return HTTPStatus.OK, body
        code = answer.get("error_code")
        code = code if isinstance(code, int) else status
        if code == HTTPStatus.NOT_FOUND and _method(url) == "getfile":
            code = HTTPStatus.BAD_REQUEST  # this is said of the file, not of the token
        raise refusal(code, answer)


def refusal(code: int, answer: Json) -> TelegramError:
    """The error that PTB has for what a refusal means."""
    description = str(answer.get("description") or f"refused with {code}")
    parameters = answer.get("parameters")
    parameters = parameters if isinstance(parameters, dict) else {}
    if isinstance(moved_to := parameters.get("migrate_to_chat_id"), int):
        return ChatMigrated(moved_to)
    if code == HTTPStatus.TOO_MANY_REQUESTS or "retry_after" in parameters:
        return RetryAfter(_seconds(parameters, description))
    if code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND):  # what Telegram says of a token
        return InvalidToken(description)
    if code == HTTPStatus.FORBIDDEN:
        return Forbidden(description)
    if code == HTTPStatus.CONFLICT:
        return Conflict(description)
    if HTTPStatus.BAD_REQUEST <= code < HTTPStatus.INTERNAL_SERVER_ERROR:
        return BadRequest(description)  # the same request would be refused again
    return NetworkError(description)


def _said(body: bytes) -> Json | None:
    """What Telegram says; None if this is nothing that it could have said."""
    try:
        answer = parse_json(body)
    except ValueError:
        return None
    is_ours = isinstance(answer, dict) and isinstance(answer.get("ok"), bool)
    return answer if is_ours else None


def _method(url: str) -> str:
    return url.rpartition("/")[2].lower()


def _fits(url: str, result: object) -> bool:
    method = _method(url)
    if method == "getupdates":
        return isinstance(result, list)
    if method in _SAY_YES:
        return result is True
    shows_message = method.startswith(("send", "edit"))
    fields = _MESSAGE if shows_message else _FIELDS.get(method, set())
    return isinstance(result, dict) and fields <= result.keys()


def _seconds(parameters: Json, description: str) -> int:
    """How long to wait, which Telegram also says in its description."""
    given = parameters.get("retry_after")
    if isinstance(given, int | float) and 0 < given < 10**7:
        return max(1, round(given))
    told = re.search(r"retry after (\d{1,7})", description)
    return int(told[1]) if told else USUAL_WAIT


def _downloaded(status: int, body: bytes, answer: Json | None) -> tuple[int, bytes]:
    """A file's content; raises BadRequest where there is no such file any more."""
    if status == HTTPStatus.OK:
        return status, body
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        # A self-hosted server's files come from a web server, which doesn't speak JSON.
        raise BadRequest(f"the file is not there: HTTP {status}")
    if answer is None or answer["ok"]:
        raise NetworkError(f"HTTP {status} is no answer of Telegram")
    raise refusal(status, answer)
