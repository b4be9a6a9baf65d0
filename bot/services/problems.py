"""Why a text gets no prediction."""

from enum import Enum, auto


class Problem(Enum):
    TOO_SHORT = auto()
    ONLY_RATING = auto()  # nothing is left without the ratings written in it
    ONLY_LINKS = auto()
    ONLY_SYMBOLS = auto()  # emoji, punctuation, digits
    NOT_RUSSIAN = auto()
    TOO_LONG = auto()
    BUSY = auto()  # too many reviews wait already
