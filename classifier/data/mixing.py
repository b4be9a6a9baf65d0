"""More reviews to train on, made of few: sentences of reviewers who agree, combined at random.

A model memorizes a few hundred reviews, with their films and phrases. The sentences of a mixed
review come from many reviews and share nothing but the opinion.
"""

import random
import re
from collections import defaultdict
from collections.abc import Sequence

from datasets import Dataset, concatenate_datasets

_SENTENCE_ENDS = re.compile(r"(?<=[.!?…])\s+|\n+")
_SENTENCES = (4, 25)  # in a mixed review, the least and the most
_ALIKE = 1  # the most points between the ratings of reviewers who agree


def mixed_reviews(rows: Dataset, count: int, seed: int) -> Dataset:
    """`count` reviews, each with the labels of one of `rows`, of every row about as often.

    Their sentences come from rows with the same sentiment whose rating, if both have one, differs
    by at most a point.
    """
    chance = random.Random(seed)
    labels = list(zip(rows["sentiment"], rows["rating"], strict=True))
    sentences: defaultdict[tuple[int, int | None], list[str]] = defaultdict(list)
    for label, text in zip(labels, rows["text"], strict=True):
        sentences[label] += [s for s in _SENTENCE_ENDS.split(text) if s.strip()]
    pools = {label: _of_the_same_opinion(label, sentences) for label in sentences}
    order = [chance.randrange(len(rows)) for _ in range(count % len(rows))]
    order += [*range(len(rows))] * (count // len(rows))
    texts = [_mixed(pools[labels[row]], chance) for row in order]
    mixed = rows.select(order).remove_columns("text").add_column("text", texts)
    return mixed.select_columns(rows.column_names)


def with_mixed(rows: Dataset, count: int, seed: int) -> Dataset:
    """`rows`, and `count` mixed ones after them."""
    if not count:
        return rows
    return concatenate_datasets([rows, mixed_reviews(rows, count, seed)])


def _of_the_same_opinion(
    label: tuple[int, int | None], sentences: dict[tuple[int, int | None], list[str]]
) -> list[str]:
    sentiment, rating = label
    return [
        sentence
        for (other, given), said in sentences.items()
        if other == sentiment and (rating is None or given is None or abs(given - rating) <= _ALIKE)
        for sentence in said
    ]


def _mixed(pool: Sequence[str], chance: random.Random) -> str:
    return " ".join(chance.choice(pool) for _ in range(chance.randint(*_SENTENCES)))
