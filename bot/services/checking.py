"""Is a text a review that the models can answer?"""

import re
import unicodedata
from dataclasses import dataclass

from bot.services.problems import Problem
from classifier.data.written_ratings import strip_ratings

LONGEST = 20_000  # characters
FEWEST_WORDS = 3
FEWEST_LETTERS = 15

_LINK = re.compile(
    r"(?:https?://|www\.)\S+|\b[\w-]{1,63}\.(?:ru|com|org|net|рф|tv|me)\b\S*", re.IGNORECASE
)
_WORD = re.compile(r"[^\W\d_]+")
_UNREADABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True)
class ReviewText:
    """A text that is a review. Lone surrogates are replaced: no tokenizer takes them."""

    text: str


def check(text: str) -> ReviewText | Problem:
    """The text if it is a review, otherwise what is wrong with it. Never raises.

    What counts is what the models see: the text without the ratings written in it. A long text
    takes a tenth of a second at worst, so that it is best called in a thread.
    """
    if len(text) > LONGEST:
        return Problem.TOO_LONG
    readable = _UNREADABLE.sub("\ufffd", text)
    composed = unicodedata.normalize("NFC", readable)  # «й» may come as two characters
    unrated = strip_ratings(composed)
    words = _WORD.findall(_LINK.sub(" ", unrated))
    letters = "".join(words)
    if not letters:
        return _no_words(composed, unrated)
    if 2 * sum(map(_is_cyrillic, letters)) < len(letters):
        return Problem.NOT_RUSSIAN
    if len(words) < FEWEST_WORDS or len(letters) < FEWEST_LETTERS:
        return Problem.TOO_SHORT
    return ReviewText(readable)


def _no_words(text: str, unrated: str) -> Problem:
    if _LINK.search(text):
        return Problem.ONLY_LINKS
    return Problem.ONLY_RATING if unrated != text else Problem.ONLY_SYMBOLS


def _is_cyrillic(letter: str) -> bool:
    return "\u0400" <= letter <= "\u052f"  # with the letters of Ukrainian, Kazakh and others
