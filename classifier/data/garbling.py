"""Tells Russian text from text that was decoded with the wrong encoding."""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from itertools import islice, pairwise

SINGLE_BYTE = ("cp1251", "koi8-r", "koi8-u", "cp866", "iso8859-5", "mac-cyrillic", "cp855")
"""The encodings of Cyrillic that spend one byte on a letter."""

# The 200 most frequent pairs of letters, 87 % of all pairs in Russian reviews: each group is a
# letter and those that follow it. In garbled text they are a fifth of the pairs.
_FREQUENT_PAIRS = """
    абвдежзклмнрстчюя беиоры ваеилнорсы гадеилор даеинору евгдезйклмнрстч жадеин зан
    ивгдезийклмнрстхчя каиорту лаеиоуьюя маеиноуы наеинотуыья обвгдежзийклмнпрстч паеор раеиотуы
    савеиклмнопстья тавеинорсуыь уджмстчю фи хо цеи чаеинт шеи щеи ывейлмх ькмнс эт ют ят
"""
_FREQUENT = {group[0] + next_ for group in _FREQUENT_PAIRS.split() for next_ in group[1:]}
_WORDS_OF_ONE_LETTER = set("авиксоуябжэ")
_CYRILLIC = set("абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґў")
_CYRILLIC |= {letter.upper() for letter in _CYRILLIC}
_TYPOGRAPHY = "«»„“”‘’—–…№•·°§©®™\xa0\n\r\t"
_MAYBE_ODD = re.compile(f"[^ -~{''.join(sorted(_CYRILLIC))}{_TYPOGRAPHY}]")
_WORD = re.compile(r"[^\W\d_]+")
_STRANGE_CASE = re.compile(r"[а-яё][А-ЯЁ]|[А-ЯЁ]{2}[а-яё]")
_LOST = re.compile("\ufffd|пїЅ")  # a letter that some program could not show

_FEWEST_KINDS = 8
_SHARE = 0.6  # of what speaks for Russian in all that speaks for or against it
_PIECE = 100  # characters
_MOST_STRANGE = 8  # pieces that are decoded anew: a text may be all symbols


@dataclass(frozen=True)
class Evidence:
    """What in a text speaks for Russian in the right encoding, and what against it."""

    good: int
    bad: int
    kinds: int  # of good pairs: «хахаха» is one pair or two, and decoded anew perhaps «тотото»

    @property
    def balance(self) -> int:
        return self.good - self.bad

    @property
    def convinces(self) -> bool:
        return self.kinds >= _FEWEST_KINDS and self.good >= _SHARE * (self.good + self.bad)


def evidence(text: str) -> Evidence:
    """Counts pairs of letters that are frequent or rare in Russian, and what no writer types."""
    found, bad = list[str](), 2 * sum(map(_is_odd, _MAYBE_ODD.findall(text)))
    for word in _WORD.findall(text):
        if word.isascii():
            continue
        letters = word.lower().replace("ё", "е")
        pairs = [first + second for first, second in pairwise(letters)]
        frequent = [pair for pair in pairs if pair in _FREQUENT]
        found += frequent
        bad += len(pairs) - len(frequent) + 2 * len(_STRANGE_CASE.findall(word))
        bad += len(letters) == 1 and letters not in _WORDS_OF_ONE_LETTER
    return Evidence(len(found), bad, len(set(found)))


def is_garbled(text: str) -> bool:
    """Whether a piece of the text becomes Russian when decoded anew, or letters of it are lost."""
    if 20 * len(_LOST.findall(text)) > len(text):
        return True
    pieces = (text[start : start + _PIECE] for start in range(0, len(text), _PIECE))
    strange = (piece for piece in pieces if evidence(piece).balance < 0)
    return any(map(_becomes_russian, islice(strange, _MOST_STRANGE)))


def _becomes_russian(piece: str) -> bool:
    for once in _decoded_anew(piece):
        if evidence(once).convinces:
            return True
        # Letters that UTF-8 garbled twice are still more than they should be.
        is_shorter = 4 * len(once) < 3 * len(piece)
        if is_shorter and any(evidence(twice).convinces for twice in _decoded_anew(once)):
            return True
    return False


def _decoded_anew(text: str) -> set[str]:
    """The text as the encodings would have it if it had been decoded with another of them."""
    texts = set()
    for wrong in (*SINGLE_BYTE, "cp1252", "mac-roman"):
        table = _bytes_of(wrong)
        content = bytes(table[char] for char in text if char in table)
        texts |= {content.decode(right, "ignore") for right in ("utf-8", *SINGLE_BYTE)}
    return texts


@cache
def _bytes_of(encoding: str) -> dict[str, int]:
    """Each character's byte; bytes that the encoding leaves out are C1 controls, as in browsers."""
    table = {}
    for byte in range(256):
        try:
            table[bytes([byte]).decode(encoding)] = byte
        except UnicodeDecodeError:
            table[chr(byte)] = byte
    return table


@cache
def _is_odd(char: str) -> bool:
    """Whether a Russian text hardly has this one of _MAYBE_ODD: a foreign letter, a control …"""
    return unicodedata.category(char) in ("Ll", "Lu", "Lo", "Cc", "Cn", "Co", "Cs") or any(
        char in _bytes_of(encoding) for encoding in SINGLE_BYTE
    )
