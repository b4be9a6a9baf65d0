"""Phrases that doubtful reviews of several persons share, and that are rare in other reviews.

People who mean to teach the models a phrase must write it into what they rate: that gives them away
as a group, even where each of them also rates truly.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from db.doubts import DoubtfulText

WORDS = 4
"""Of the shortest phrase: shorter ones people share by chance."""

PERSONS = 3
_WORD = re.compile(r"\w+")

_Phrase = tuple[str, ...]


@dataclass(frozen=True)
class SharedPhrase:
    phrase: str  # as the newest of the reviews has it
    texts: tuple[DoubtfulText, ...]

    @property
    def persons(self) -> int:
        return len({text.user_id for text in self.texts})


def shared_phrases(doubtful: Sequence[DoubtfulText], others: Iterable[str]) -> list[SharedPhrase]:
    """The phrases of WORDS words or more that PERSONS persons or more share, with the most ratings
    first; each rating is with one of them. In time linear in the texts' lengths.

    Most of the texts that have the phrase are doubtful: not all, for a liar may rate one truly.
    """
    found: defaultdict[_Phrase, set[int]] = defaultdict(set)
    for place, text in enumerate(doubtful):
        for phrase in _phrases(text.text):
            found[phrase].add(place)
    elsewhere = Counter(
        phrase for other in others for phrase in set(_phrases(other)) if phrase in found
    )
    with_places: defaultdict[frozenset[int], set[_Phrase]] = defaultdict(set)
    for phrase, places in found.items():
        persons = {doubtful[place].user_id for place in places}
        if len(persons) >= PERSONS and len(places) > elsewhere[phrase]:
            with_places[frozenset(places)].add(phrase)
    shared, taken = [], set[int]()
    for group in sorted(with_places, key=lambda places: (-len(places), min(places))):
        if taken.isdisjoint(group):
            taken |= group
            texts = tuple(doubtful[place] for place in sorted(group))
            shared.append(SharedPhrase(_longest(texts[0].text, with_places[group]), texts))
    return shared


def _phrases(text: str) -> Iterator[_Phrase]:
    words = _WORD.findall(text.casefold())
    return zip(*(words[start:] for start in range(WORDS)), strict=False)


def _longest(text: str, phrases: set[_Phrase]) -> str:
    """The longest passage of a text all of whose phrases are among these, as it is written."""
    words = list(_WORD.finditer(text))
    folded = [word.group().casefold() for word in words]
    best = begin = end = 0  # of the longest passage so far, in words
    start = 0
    for place in range(len(words) - WORDS + 1):
        if tuple(folded[place : place + WORDS]) not in phrases:
            start = place + 1
        elif place + WORDS - start > best:
            best, begin, end = place + WORDS - start, start, place + WORDS - 1
    return text[words[begin].start() : words[end].end()]
