"""Logs on stderr, JSON for machines or text for people, without secrets or reviews."""

import json
import logging
import sys
import traceback
from collections.abc import Collection
from copy import copy
from types import TracebackType
from typing import TextIO
from urllib.parse import quote

from pythonjsonlogger.core import RESERVED_ATTRS, merge_record_extra
from pythonjsonlogger.json import JsonFormatter

OURS = ("bot", "classifier", "db")
"""The packages whose messages are written to hold nothing private."""


def configure_logging(
    level: str, secrets: Collection[str], stream: TextIO = sys.stderr, *, as_text: bool = False
) -> logging.Handler:
    """Log this program's packages from `level` on, and warnings of all others; the root's handler.

    The others stay at warnings whatever the level: httpx logs the token as part of each URL, PTB
    whole updates, SQLAlchemy and aiosqlite every value they store.
    """
    handler = logging.StreamHandler(stream)
    handler.setFormatter(TextFormatter(secrets) if as_text else DiscreetJsonFormatter(secrets))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    for package in OURS:
        logging.getLogger(package).setLevel(level)
    return handler


class DiscreetFormatter(logging.Formatter):
    """Has every secret replaced, and leaves the values in other packages' records out."""

    _secrets: Collection[str] = ()

    def hide(self, secrets: Collection[str]) -> None:
        self._secrets = {*secrets, *map(quote, secrets)} - {""}

    def format(self, record: logging.LogRecord) -> str:
        if record.name.partition(".")[0] not in OURS and record.args:
            # "Received data was: %r" would quote a review: keep the words, drop the values.
            record = copy(record)
            record.args = None
        line = super().format(record)
        for secret in self._secrets:
            line = line.replace(secret, "[secret]")
        return line

    def formatException(  # noqa: N802
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None]
        | tuple[None, None, None],
    ) -> str:
        """The traceback with the first line of each message.

        SQLAlchemy and PostgreSQL quote the row that was refused, and so the review, in the lines
        that follow.
        """
        lines: list[str] = []
        error = ei[1]
        while error is not None:
            first_line = str(error).partition("\n")[0]
            lines.insert(0, f"{type(error).__qualname__}: {first_line}\n")
            lines[:0] = traceback.format_tb(error.__traceback__)
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "".join(lines).rstrip("\n")


class DiscreetJsonFormatter(DiscreetFormatter, JsonFormatter):
    """One JSON object for each event, on one line."""

    def __init__(self, secrets: Collection[str]) -> None:
        super().__init__(
            "%(asctime)s %(levelname)s %(name)s %(message)s",
            rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
        )
        self.default_msec_format = "%s.%03d"
        self.hide(secrets)


class TextFormatter(DiscreetFormatter):
    """`time LEVEL logger: message, name=value …`, on one line; a traceback on those that follow."""

    def __init__(self, secrets: Collection[str]) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%Y-%m-%d %H:%M:%S")
        self.hide(secrets)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        facts = merge_record_extra(record, {}, reserved=RESERVED_ATTRS)
        words = [super().formatMessage(record).replace("\n", "\\n")]
        words += [f"{name}={_value(fact)}" for name, fact in facts.items()]
        return " ".join(words)


def _value(fact: object) -> str:
    """As it is where it is one word, else quoted as in JSON."""
    text = str(fact)
    plain = text.isprintable() and not {*' "'} & {*text}
    return text if text and plain else json.dumps(text, ensure_ascii=False)
