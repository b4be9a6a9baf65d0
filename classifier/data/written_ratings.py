"""Finds and strips the ratings that authors write in their texts: «8 из 10», «моя оценка: 9».

The rating of a review was often copied from its text, so a model that sees the text reads its
own label. Ratings of parts («сюжет 7/10») and of other films are stripped as well, because they
reveal nearly as much. The table in `rating_patterns` defines what is a rating.
"""

import html
import re
from dataclasses import dataclass

from classifier.data.rating_patterns import (
    AMOUNT,
    EMPHASIS,
    FILLERS,
    FORMS,
    LABEL,
    VERB,
    any_of,
    compiled,
    plain,
)


@dataclass(frozen=True)
class WrittenRating:
    """A rating at `text[start:end]`; a range («7-8») has its middle as the value."""

    start: int
    end: int
    value: float
    out_of: int | None


def find_ratings(text: str) -> list[WrittenRating]:
    """The ratings written in the text, from left to right, without overlaps.

    A count of things («5 из 10 зрителей ушли»), a date, a title or a percentage is no rating.
    """
    copy = plain(text)
    ratings = []
    position = 0
    while amount := AMOUNT.search(copy, position):
        # No form reaches back over another amount, so no place is searched many times.
        rating = _rating(copy, amount, reach=max(position, amount.start() - _REACH))
        if rating:
            ratings.append(rating)
        position = rating.end if rating else amount.end()
    return ratings


def strip_ratings(text: str) -> str:
    """The text without its written ratings, and without their labels and extra blanks and lines.

    A text without ratings is returned unchanged; from any other the markup and entities go too.
    Stripping twice changes nothing more. Never raises.
    """
    bare = without_markup(text)
    if bare != text and find_ratings(bare):
        text = bare
    for _ in range(_ROUNDS):
        ratings = find_ratings(text)
        if not ratings:
            return text
        text = _cut(text, ratings)
    # Cutting «8 из 10» out of «8 8 из 10 из 10» makes another one. A text with still more of them
    # was made on purpose: dots in place of its ratings keep the rest apart.
    while ratings := find_ratings(text):
        text = "…".join(_between(text, ratings))
    return text


_ROUNDS = 3

# --- markup ---------------------------------------------------------------------------------

_AMPERSAND = re.compile(r"&(?:(?:amp|AMP|#0{0,5}38|#[xX]0{0,5}26);?){1,99}")
_LINE_TAG = re.compile(r"<(?:br|/?p|/?div|/?li)\b[^<>]{0,100}>", re.IGNORECASE)
_TAG = re.compile(
    r"</?[a-z][a-z0-9]{0,9}(?:\s[^<>]{0,300})?/?>"
    r"|\[/?(?:b|i|u|s|url|quote|color|size|spoiler|center|font)(?:=[^\]\[]{0,100})?\]",
    re.IGNORECASE,
)


def without_markup(text: str) -> str:
    """The text as a page shows it: without HTML tags and BBCode, with characters for entities."""
    for _ in range(_ROUNDS):
        before = text
        if "&" in text:
            text = html.unescape(_AMPERSAND.sub("&", text))
        if "<" in text or "[" in text:
            text = _TAG.sub("", _LINE_TAG.sub("\n", text))
        if text == before:
            break
    return text


# --- finding --------------------------------------------------------------------------------

_REACH = 100  # characters around a rating that are searched for what belongs to it

_BY_STEM = {
    "нол": 0, "нул": 0, "оди": 1, "одн": 1, "кол": 1, "еди": 1, "два": 2, "две": 2, "дву": 2,
    "дво": 2, "три": 3, "тре": 3, "тро": 3, "чет": 4, "пят": 5, "шес": 6, "сем": 7, "вос": 8,
    "дев": 9, "дес": 10, "ten": 10, "сто": 100, "ста": 100,
}  # fmt: skip


def _rating(copy: str, amount: re.Match[str], reach: int) -> WrittenRating | None:
    """The amount as a rating if a form matches, looking back to `reach` at most."""
    if stars := amount["stars"]:
        stars = stars.replace("\ufe0f", "")
        filled = len(stars.rstrip("☆✩"))
        out_of = len(stars) if filled < len(stars) else None
        return WrittenRating(*amount.span(), filled, out_of)
    value = _value(amount)
    for form in FORMS:
        if amount[form.group] is None or value > form.most:
            continue
        after = form.after.match(copy, amount.end())
        start = amount.start()
        if form.unless and form.unless.search(copy, reach, start):
            continue
        if after and (not form.before or form.before.search(copy, reach, start)):
            scale = after.groupdict().get("out_of")
            out_of = int(_number(scale)) if scale else None
            return WrittenRating(start, after.end(), value, out_of)
    return None


def _value(amount: re.Match[str]) -> float:
    value = _number(amount["value"]) + (0.5 if amount["half"] else 0.0)
    return (value + _number(amount["upto"])) / 2 if amount["upto"] else value


def _number(written: str) -> float:
    digits = re.match(r"\d+(?:[.,]\d+)?", written)
    return float(digits[0].replace(",", ".")) if digits else _BY_STEM[written[:3]]


# --- cutting --------------------------------------------------------------------------------

_OPENING = any_of("так итак поэтому посему значит в_общем в_итоге короче потому и а")
# «Поэтому моя оценка фильму:» from the beginning of its sentence or clause up to a cut
_DANGLING = compiled(rf"""
    (?<![^\n.!?…,;(]) [ ]{{0,4}} (?: {_OPENING} [ ,]{{0,3}} ){{0,2}}
    {FILLERS} (?:{LABEL}|{VERB}|{EMPHASIS}) [ ]{{0,2}}[,:=-]{{0,2}}[ ]{{0,2}} {FILLERS}
    [ ]{{0,2}} [:=…,.-]{{0,3}} \s{{0,6}} \Z""")
_SEPARATOR = compiled(r"[ ]{0,3} [,:=-]{1,3} \s{0,6} \Z")
_SENTENCE_ENDS = compiled(r"[ ]{0,3} [.!?…;)\n]")
_PART_ENDS = compiled(r"[ ]{0,3} [.!?…;)\n,]")
_PUNCTUATION = compiled(r"\A [ ]{0,3} [.,!?…;:)]{1,9}")
_WRAPPERS = ("()", "[]", '""', "**")


def _between(text: str, ratings: list[WrittenRating]) -> list[str]:
    """The pieces of the text that are not ratings, one more than there are ratings."""
    edges = [0, *(edge for rating in ratings for edge in (rating.start, rating.end)), len(text)]
    return [text[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True)]


def _cut(text: str, ratings: list[WrittenRating]) -> str:
    kept, *others = _between(text, ratings)
    for index, rest in enumerate(others, start=1):
        kept = _closed(kept, rest, last=index == len(others))
    return kept


def _closed(kept: str, rest: str, last: bool) -> str:
    """Both sides of a cut, tidied where they meet; `last` if the text ends with `rest`."""
    far, near = kept[:-_REACH], kept[-_REACH:]
    next_ = plain(rest[:_REACH])
    left, right = _tidied(plain(near), next_, at_start=not far, last=last)
    rest = rest[len(next_) - len(right) :]

    before = near[len(left.rstrip()) : len(left)]
    after = rest[: len(right) - len(right.lstrip())]
    near, rest = near[: len(left.rstrip())], rest[len(after) :]
    gap = max(before, after, key=lambda blanks: blanks.count("\n"))
    if not far + near or (last and not rest):
        gap = ""
    elif rest and "\n" not in gap:
        gap = "" if rest[0] in ".,!?…;:)" else " "
    return far + near + gap + rest


def _tidied(left: str, right: str, at_start: bool, last: bool) -> tuple[str, str]:
    """The plain copies of both sides without what belonged to the rating between them."""
    if left[-1:] + right[:1] in _WRAPPERS:
        left, right = left[:-1], right[1:]
    at_end = last and not right.strip()
    if at_end or _SENTENCE_ENDS.match(right):
        left = _without(_DANGLING, left, at_start)
    if at_end or _PART_ENDS.match(right):
        left = _without(_SEPARATOR, left, at_start)
    if left.rstrip(" ")[-1:] in ("", "\n", ".", "!", "?", "…"):
        right = _PUNCTUATION.sub("", right)
    return left, right


def _without(tail: re.Pattern[str], left: str, at_start: bool) -> str:
    """`left` without what the pattern matches at its end; all of it may go only `at_start`."""
    match = tail.search(left, 0 if at_start else 1)
    return left[: match.start()] if match else left
