"""The grades of a source: those understood, and whether they are on another scale than thought.

A source whose ratings are of 5, or one of whose classes has a name that nobody knows, would be
trained on without a word of what is wrong with it: each is an error that names the option.
"""

from collections import Counter
from dataclasses import dataclass

from classifier.data.schema import Schema
from classifier.errors import ClassifierError
from classifier.labels import (
    SENTIMENTS,
    OutsideError,
    is_sign,
    label_key,
    parse_rating,
    parse_sentiment,
    shown,
    whole_rating,
)

_FEW = 3  # rows; fewer show neither a scale nor a class
_OUTSIDE = 0.1  # the share of ratings outside of the scale that shows that it is another one
_A_CLASS = 0.01  # the share of labelled rows that makes a label a class and no slip


@dataclass(frozen=True)
class Rejected:
    """A row that can't be used: its line (in a parquet its row number), from 1, and why."""

    row: int
    reason: str


class Grades:
    """Reads the grades row by row, and counts them for `check`."""

    def __init__(self, name: str, schema: Schema) -> None:
        self.unused: list[Rejected] = []
        """Faults of grades in rows that are used for the sake of the other grade."""
        self._name = name
        self._schema = schema
        self._unknown: Counter[str] = Counter()  # labels that no class is known for
        self._known: Counter[int] = Counter()
        self._lost: dict[int, list[Rejected]] = {}  # of each sentiment, rows that can't be used
        self._signs: set[str] = set()
        self._ratings = self._outside = self._no_ratings = 0
        self._highest = 0.0
        self._first: Rejected | None = None  # of the ratings that can't be used

    def read(
        self, row: int, grade3: object, grade10: object
    ) -> tuple[int | None, int | None, str | None]:
        """The sentiment and the rating, and what is wrong with one of them."""
        sentiment, rating, fault = None, None, None
        try:
            sentiment = self._sentiment(grade3)
        except ValueError as error:
            fault = str(error)
        try:
            rating = self._rating(grade10)
        except ValueError as error:
            fault = str(error)
            self._first = self._first or Rejected(row, fault)
        return sentiment, rating, fault

    def lose(self, row: int, sentiment: int | None, reason: str) -> None:
        """Note that a row of this sentiment can't be used."""
        if sentiment is not None:
            self._lost.setdefault(sentiment, []).append(Rejected(row, reason))

    def _sentiment(self, grade3: object) -> int | None:
        try:
            sentiment = parse_sentiment(grade3, self._schema.label_classes)
        except ValueError:
            self._unknown[shown(grade3)] += 1
            raise
        if sentiment is not None:
            self._known[sentiment] += 1
            if is_sign(grade3) and label_key(grade3) not in self._schema.label_classes:
                self._signs.add(label_key(grade3))
        return sentiment

    def _rating(self, grade10: object) -> int | None:
        try:
            rating = parse_rating(grade10, *self._schema.range)
        except OutsideError:
            self._outside += 1
            raise
        except ValueError:
            self._no_ratings += 1
            raise
        if rating is None:
            return None
        self._ratings += 1
        self._highest = max(self._highest, rating)
        return whole_rating(rating)

    def check(self) -> None:
        """Raise ClassifierError where the grades are not what they were taken for."""
        self._check_labels()
        self._check_ratings()

    def _check_labels(self) -> None:
        column, example = self._schema.column("grade3"), '--labels "Yes=Good,No=Bad,So-so=Neutral"'
        if self._signs and "-1" not in self._signs:
            raise ClassifierError(
                f"{self._name} has numbers as labels ({column}: {', '.join(sorted(self._signs))}), "
                f"which may mean anything: say which is which, as in {example}."
            )
        least = max(_FEW, _A_CLASS * (self._known.total() + self._unknown.total()))
        classes = {label: rows for label, rows in self._unknown.items() if rows >= least}
        if classes:
            labels = ", ".join(f"{label} in {rows:,} rows" for label, rows in classes.items())
            raise ClassifierError(
                f"{self._name} has labels ({column}) of no known class: {labels:.200}; say "
                f"which is which, as in {example}, with nothing after = for one to leave out."
            )

    def _check_ratings(self) -> None:
        column, (lowest, highest) = self._schema.column("grade10"), self._schema.range
        scale = f"{lowest:g} to {highest:g}"
        unusable = self._outside + self._no_ratings
        if self._outside >= max(_FEW, _OUTSIDE * (self._ratings + self._outside)) or (
            unusable >= _FEW and unusable > self._ratings
        ):
            assert self._first is not None
            raise ClassifierError(
                f"{self._name} has {unusable:,} ratings ({column}) that are not within {scale}, of "
                f"{unusable + self._ratings:,}; row {self._first.row}, the first: "
                f"{self._first.reason}; name their scale, as in --scale 100."
            )
        if not self._schema.scale and self._ratings >= _FEW and self._highest <= 5:
            raise ClassifierError(
                f"{self._name} has {self._ratings:,} ratings ({column}), of which none is above "
                f"{self._highest:g}: are they of 10? Name their scale: --scale 5, --scale 1-5, or "
                "--scale 10."
            )

    def check_kept(self, kept: set[int]) -> None:
        """Raise ClassifierError where all rows of a sentiment are lost to other faults."""
        for sentiment, rows in self._known.items():
            if sentiment not in kept and rows >= _FEW:
                lost = self._lost.get(sentiment)
                why = f"; row {lost[0].row}, the first: {lost[0].reason}" if lost else ""
                raise ClassifierError(
                    f"{self._name} has {rows:,} {SENTIMENTS[sentiment]} rows, of which none can be "
                    f"used{why}."
                )
