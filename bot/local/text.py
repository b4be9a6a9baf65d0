"""Text as Telegram counts, cleans and splits it."""

import re

MAX_TEXT = 4096
MAX_CAPTION = 1024
_WORD_END = 500  # how far before the limit a client looks for a place between two words

_DROPPED = re.compile("[\r\u2028-\u202e\u030a\u0333\u033f]")
_INVISIBLE = re.compile("[\\s\u00ad\u200b-\u200f\u2060-\u2064\ufeff]*")
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f]")


def units(text: str) -> int:
    """Its length in UTF-16 code units, in which Telegram counts lengths and offsets."""
    return len(text.encode("utf-16-le")) // 2


def cleaned(text: str) -> str:
    """Without the characters that Telegram takes out of every text."""
    return _CONTROL.sub(" ", _DROPPED.sub("", text))


def trimmed(text: str) -> str:
    """Without the space around it; "" if nothing of it can be seen."""
    return "" if _INVISIBLE.fullmatch(text) else text.strip(" \n")


def is_unicode(text: str) -> bool:
    """False for a lone surrogate, which JSON can carry and UTF-8 can't."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def parts(text: str) -> list[str]:
    """A text as a client sends it: in messages that fit, cut between words if there are any."""
    found = []
    while units(text) > MAX_TEXT:
        end = _fitting(text)
        space = max(text.rfind(character, end - _WORD_END, end) for character in " \n")
        end = space + 1 if space >= 0 else end
        found.append(trimmed(text[:end]))
        text = text[end:]
    return [part for part in (*found, trimmed(text)) if part]


def _fitting(text: str) -> int:
    """How many characters fit into one message."""
    count = 0
    for position, character in enumerate(text):
        count += 2 if character > "\uffff" else 1
        if count > MAX_TEXT:
            return position
    return len(text)
