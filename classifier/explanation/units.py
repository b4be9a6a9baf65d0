"""A review cut into what can be left out of it: its sentences, or the words of its only one.

Sentences are more faithful units than words for a BERT (Zafar et al. 2021,
https://arxiv.org/abs/2012.13189), and a person reads them more easily.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

import razdel

MOST_UNITS = 12
"""Each is one more text to read. With so many, the reasons of a review cost about what ten answers
do; neighbours among more are taken together."""

_LONGEST_READ = 100_000
"""Characters that are cut into units; the rest is in none. No answer reads so many."""


class Span(NamedTuple):
    """A stretch of a text."""

    start: int
    stop: int


@dataclass(frozen=True)
class Units:
    """The pieces of a text in their order."""

    text: str
    kind: Literal["sentences", "words"]
    spans: tuple[Span, ...]

    @classmethod
    def of(cls, text: str) -> "Units":
        """At most MOST_UNITS sentences, or words where there is one sentence; none without any."""
        sentences = _with_letters(text, [Span(s.start, s.stop) for s in _sentences(text)])
        if len(sentences) > 1:
            return cls(text, "sentences", _grouped(sentences))
        words = [Span(w.start, w.stop) for w in razdel.tokenize(text[:_LONGEST_READ])]
        return cls(text, "words", _grouped(_with_letters(text, words)))

    def without(self, unit: int) -> str:
        """The text without that unit."""
        start, stop = self.spans[unit]
        return f"{self.text[:start].rstrip()} {self.text[stop:].lstrip()}".strip()

    def alone(self, unit: int) -> str:
        """That unit and nothing else."""
        start, stop = self.spans[unit]
        return self.text[start:stop]


def _sentences(text: str) -> list[Span]:
    """The sentences of every line: a heading or a list has no full stops."""
    found: list[Span] = []
    start = 0
    for line in text[:_LONGEST_READ].splitlines(keepends=True):
        found += [Span(start + s.start, start + s.stop) for s in razdel.sentenize(line)]
        start += len(line)
    return found


def _with_letters(text: str, spans: list[Span]) -> list[Span]:
    """Those with a letter; what stands between them is in none."""
    return [span for span in spans if any(map(str.isalpha, text[span.start : span.stop]))]


def _grouped(spans: list[Span]) -> tuple[Span, ...]:
    """MOST_UNITS spans at most: the shortest neighbours become one, again and again."""
    if len(spans) > 16 * MOST_UNITS:  # each round looks at all of them
        size = -(-len(spans) // (16 * MOST_UNITS))
        spans = [
            Span(spans[at].start, spans[min(at + size, len(spans)) - 1].stop)
            for at in range(0, len(spans), size)
        ]
    spans = list(spans)
    while len(spans) > MOST_UNITS:
        lengths = [after.stop - before.start for before, after in pairwise(spans)]
        at = lengths.index(min(lengths))
        spans[at : at + 2] = [Span(spans[at].start, spans[at + 1].stop)]
    return tuple(spans)
