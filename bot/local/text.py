"""Text as Telegram counts, cleans and splits it, and the entities it finds there."""

import re
from collections.abc import Sequence

from bot.local.people import Json

TEXT = ("text", "entities")  # the fields of a message that hold a text
CAPTION = ("caption", "caption_entities")
LIMITS = {TEXT: 4096, CAPTION: 1024}  # of the text, in UTF-16 code units
_WORD_END = 500  # how far before the limit a client looks for a place between two words

_DROPPED = re.compile("[\r\u2028-\u202e\u030a\u0333\u033f]")
_INVISIBLE = re.compile("[\\s\u00ad\u200b-\u200f\u2060-\u2064\ufeff]*")
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f]")

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


def units(text: str) -> int:
    """The length in UTF-16 code units, in which Telegram counts lengths and offsets."""
    return len(text.encode("utf-16-le")) // 2


def cleaned(text: str) -> str:
    """Without the characters that Telegram removes from every text."""
    return _CONTROL.sub(" ", _DROPPED.sub("", text))


def trimmed(text: str) -> str:
    """Without the space around it; "" if all of it is invisible."""
    return "" if _INVISIBLE.fullmatch(text) else text.strip(" \n")


def is_unicode(text: str) -> bool:
    """False for a lone surrogate, which JSON can carry and UTF-8 can't."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def parts(text: str) -> list[str]:
    """A text as clients split it into messages that fit: between words where there are any."""
    found = []
    while units(text) > LIMITS[TEXT]:
        # A character that the limit would cut in two goes into the next part.
        end = len(text.encode("utf-16-le")[: 2 * LIMITS[TEXT]].decode("utf-16-le", "ignore"))
        space = max(text.rfind(character, end - _WORD_END, end) for character in " \n")
        end = space + 1 if space >= 0 else end
        found.append(trimmed(text[:end]))
        text = text[end:]
    return [part for part in (*found, trimmed(text)) if part]


def span(text: str, start: int, end: int) -> Json:
    """Offset and length in UTF-16 code units of a slice of `text`."""
    return {"offset": units(text[:start]), "length": units(text[start:end])}


def text_fields(names: tuple[str, str], text: str, marked: Sequence[Json] = ()) -> Json:
    """The fields of a message, named `names`, for a text and its entities; none if it is empty.

    The entities are those that are `marked` already, and those that Telegram finds.
    """
    entities = _with_found(text, marked)
    return {name: value for name, value in zip(names, (text, entities), strict=True) if value}


def _with_found(text: str, marked: Sequence[Json]) -> list[Json]:
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
