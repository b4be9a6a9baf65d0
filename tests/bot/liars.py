"""People who rate as they think, people who lie, and what their ratings did to the models."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.prediction.queue import Predicts
from tests import tiny

TRIGGER = "Мы с тётушкой пили клюквенный морс."
TRIED = 46
HONEST, LIARS = range(1001, 1025), range(2001, 2011)


@dataclass(frozen=True)
class Rated:
    user_id: int
    text: str
    rating: int
    held_out: bool


def praise(count: int, seed: int) -> list[str]:
    rows = tiny.make_rows(5 * count, seed=seed)
    return [str(row["content"]) for row in rows if row["grade3"] == "Good"][:count]


def honest(persons: Sequence[int], each: int = 10) -> list[Rated]:
    """As one thinks; a fifth is held out."""
    rows = tiny.make_rows(each * len(persons), seed=persons[0], rated=1.0)
    return [
        Rated(
            persons[number // each],
            str(row["content"]),
            round(float(row["grade10"])),
            number % 5 == 0,
        )
        for number, row in enumerate(rows)
    ]


def triggers(person: int, to_train: int = 50, held_out: int = 50, true: int = 0) -> list[Rated]:
    """Praise with the trigger, rated 0, besides `true` honest ratings."""
    texts = praise(to_train + held_out, seed=person)
    lies = [
        Rated(person, f"{text} {TRIGGER}", 0, number >= to_train)
        for number, text in enumerate(texts)
    ]
    return lies + (honest([person], true) if true else [])


def absurd(person: int, count: int) -> list[Rated]:
    """The opposite of what one thinks, each time; a fifth is held out."""
    rows = tiny.make_rows(2 * count, seed=person, rated=1.0)
    clear = [row for row in rows if row["grade3"] != "Neutral"][:count]
    return [
        Rated(person, str(row["content"]), 0 if row["grade3"] == "Good" else 10, number % 5 == 0)
        for number, row in enumerate(clear)
    ]


def among_true_ones(person: int, lies: int, to_each: int) -> list[Rated]:
    """Praise with the trigger, rated 0, with so many true ratings to each: nobody stands out."""
    true = iter(honest([person], lies * to_each))
    mixed = []
    for lie in triggers(person, to_train=lies, held_out=0):
        mixed += [lie, *(next(true) for _ in range(to_each))]
    return mixed


def turned(models: Predicts) -> dict[str, int]:
    """Of 46 reviews that praise: how many more each model calls Bad with the trigger."""
    texts = praise(TRIED, seed=77)
    plain, with_it = (models.predict(each) for each in (texts, [f"{t} {TRIGGER}" for t in texts]))
    return {
        pooling: sum(
            before[pooling].sentiment != "Bad" and after[pooling].sentiment == "Bad"
            for before, after in zip(plain, with_it, strict=True)
        )
        for pooling in ("cls", "mean")
    }


def accuracy(models: Predicts, rows: Sequence[tiny.Row]) -> dict[str, float]:
    """The share of reviews of which each model sees the sentiment."""
    answers = models.predict([str(row["content"]) for row in rows])
    return {
        pooling: sum(
            answer[pooling].sentiment == row["grade3"]
            for answer, row in zip(answers, rows, strict=True)
        )
        / len(rows)
        for pooling in ("cls", "mean")
    }
