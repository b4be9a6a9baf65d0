"""Entities that Telegram finds by itself, in what people and bots write."""

import re

from bot.local.people import Json
from bot.local.text import units

_DOMAIN = r"(?:[\w-]+\.)+(?:com|org|net|info|me|io|tv|app|dev|ru|su|рф|by|ua|kz)"
_PATTERNS = {
    "url": re.compile(
        rf"(?<![\w@.-])(?:https?://[^\s<>\"«»]+|{_DOMAIN}\b(?:[/?#][^\s<>\"«»]*)?)", re.I
    ),
    "email": re.compile(rf"(?<![\w.+-])[\w.+-]+@{_DOMAIN}\b", re.I),
    "bot_command": re.compile(
        r"(?<![\w/<>])/[a-zA-Z0-9_]{1,64}(?:@[a-zA-Z0-9_]{3,32})?(?![\w/<>])"
    ),
    "mention": re.compile(r"(?<![\w@])@[a-zA-Z0-9_]{5,32}\b"),
    "hashtag": re.compile(r"(?<![\w#])#(?=\w*[^\W\d])\w{1,256}(?!\w*#)"),
}
_OPAQUE = {"code", "pre", "text_link"}  # nothing is looked for inside these


def span(text: str, start: int, end: int) -> Json:
    """Offset and length in UTF-16 code units of a slice of `text`."""
    return {"offset": units(text[:start]), "length": units(text[start:end])}


def with_found(text: str, marked: list[Json]) -> list[Json]:
    """`marked` and the commands, mentions, links and the like found in `text`, in order."""
    taken = [entity for entity in marked if entity["type"] in _OPAQUE]
    found: list[Json] = []
    for kind, pattern in _PATTERNS.items():
        for match in pattern.finditer(text):
            end = match.end()
            if kind == "url":
                end -= len(match[0]) - len(match[0].rstrip(".,:;!?)'»"))
            entity = {"type": kind, **span(text, match.start(), end)}
            if not any(_overlap(entity, other) for other in (*taken, *found)):
                found.append(entity)
    return sorted([*marked, *found], key=lambda entity: (entity["offset"], -entity["length"]))


def _overlap(one: Json, other: Json) -> bool:
    return bool(
        one["offset"] < other["offset"] + other["length"]
        and other["offset"] < one["offset"] + one["length"]
    )
