"""Is a text a review that the models can answer?"""

import re
from dataclasses import dataclass
from enum import Enum, auto

from classifier.data.garbling import is_garbled
from classifier.data.unicode_form import normalized
from classifier.data.written_ratings import strip_ratings

LARGEST_FILE = 100 * 1024  # bytes
LONGEST = 20_000  # characters
FEWEST_WORDS = 3
FEWEST_LETTERS = 15

_LINK = re.compile(
    r"(?:https?://|www\.)\S+|\b[\w-]{1,63}\.(?:ru|com|org|net|рф|tv|me)\b\S*", re.IGNORECASE
)
_MAYBE_LINK = re.compile(r"://|www\.|\.(?:ru|com|org|net|рф|tv|me)\b", re.IGNORECASE)  # cheaper
_WORD = re.compile(r"[^\W\d_]+")
_CYRILLIC = re.compile("[\u0400-\u052f]+")  # with the letters of Ukrainian, Kazakh and others
_UNREADABLE = re.compile("[\x00\ud800-\udfff]")


class Problem(Enum):
    """Why a text gets no prediction."""

    GARBLED = auto()  # decoded with the wrong encoding before it was sent
    TOO_SHORT = auto()
    ONLY_RATING = auto()  # nothing is left without the ratings written in it
    ONLY_LINKS = auto()
    ONLY_SYMBOLS = auto()  # emoji, punctuation, digits
    NOT_RUSSIAN = auto()
    TOO_LONG = auto()
    BUSY = auto()  # too many reviews are waiting already


@dataclass(frozen=True)
class ReviewText:
    """A text that is a review. Lone surrogates are replaced: no tokenizer takes them."""

    text: str


def check(text: str) -> ReviewText | Problem:
    """The text if it is a review, otherwise what is wrong with it. Never raises.

    Checks what the models see: the text without the ratings written in it. A long text takes up
    to a tenth of a second, so call it in a thread.
    """
    if len(text) > LONGEST:
        return Problem.TOO_LONG
    composed = normalized("NFC", text)  # «й» may come as two characters
    if is_garbled(composed):
        return Problem.GARBLED
    readable, composed = (_UNREADABLE.sub("\ufffd", each) for each in (text, composed))
    unrated = strip_ratings(composed)
    words = _WORD.findall(_LINK.sub(" ", unrated) if _MAYBE_LINK.search(unrated) else unrated)
    letters = "".join(words)
    if not letters:
        return _no_words(composed, unrated)
    if 2 * len(_CYRILLIC.sub("", letters)) > len(letters):
        return Problem.NOT_RUSSIAN
    if len(words) < FEWEST_WORDS or len(letters) < FEWEST_LETTERS:
        return Problem.TOO_SHORT
    return ReviewText(readable)


def _no_words(text: str, unrated: str) -> Problem:
    if _LINK.search(text):
        return Problem.ONLY_LINKS
    return Problem.ONLY_RATING if unrated != text else Problem.ONLY_SYMBOLS
