"""How a file of reviews is read: which columns, labels and ratings stand for ours."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from classifier.errors import ClassifierError
from classifier.labels import SENTIMENTS, label_key

COLUMNS = ("content", "grade3", "grade10", "review_id", "movie_name", "weight", "person")

_NUMBER = r"\d{1,6}(?:\.\d{1,6})?"
_SCALE = re.compile(rf"(?:({_NUMBER})-)?({_NUMBER})")
_CLASSES = {name.casefold(): index for index, name in enumerate(SENTIMENTS)}


def _pairs(option: str, text: str) -> list[tuple[str, str]]:
    pairs: dict[str, str] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        left, equals, right = (piece.strip() for piece in part.rpartition("="))
        if not equals or not left or left in pairs or (option == "--columns" and not right):
            raise ClassifierError(f"{option} {text!r}: expected NAME=NAME, each once, by commas.")
        pairs[left] = right
    return list(pairs.items())


@dataclass(frozen=True)
class Schema:
    """The options --columns, --labels and --scale as typed, which is how training.json keeps them.

    Raises ClassifierError for an option that says nothing that can be followed.
    """

    columns: str = ""
    labels: str = ""
    scale: str = ""

    def __post_init__(self) -> None:
        for ours in self._column_of:
            if ours not in COLUMNS:
                raise ClassifierError(f"--columns {ours}=: there are {', '.join(COLUMNS)}.")
        for theirs, ours in _pairs("--labels", self.labels):
            if ours.casefold() not in {"", *_CLASSES}:
                named = ", ".join(SENTIMENTS)
                raise ClassifierError(f"--labels {theirs}={ours}: there are {named}, or nothing.")
        match = _SCALE.fullmatch(self.scale.strip())
        if self.scale and not (match and self.range[0] < self.range[1]):
            raise ClassifierError(
                f"--scale {self.scale}: name the highest rating, or lowest-highest: 5, 100 or 1-5."
            )

    @cached_property
    def _column_of(self) -> dict[str, str]:
        return dict(_pairs("--columns", self.columns))

    @cached_property
    def label_classes(self) -> Mapping[str, int | None]:
        """The classes of the source's own labels, by `label_key`; None: no sentiment."""
        pairs = _pairs("--labels", self.labels)
        return {label_key(theirs): _CLASSES.get(ours.casefold()) for theirs, ours in pairs}

    @cached_property
    def range(self) -> tuple[float, float]:
        """The lowest and the highest rating."""
        match = _SCALE.fullmatch(self.scale.strip())
        return (float(match[1] or 0), float(match[2])) if match else (0, 10)

    def column(self, ours: str) -> str:
        """What the source calls one of COLUMNS."""
        return self._column_of.get(ours, ours)

    @property
    def theirs(self) -> list[str]:
        """What the source calls COLUMNS."""
        return [self.column(ours) for ours in COLUMNS]

    def ours(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """A row's values by our names, None for a column that it does not have."""
        return {ours: values.get(self.column(ours)) for ours in COLUMNS}

    def check_columns(
        self, name: object, found: Mapping[str, None], *wanted: Collection[str]
    ) -> None:
        """Raise ClassifierError unless the columns found, if any, are enough.

        They are where they include one of each of `wanted`, and all that --columns names.
        """
        missing = [
            " or ".join(map(self.column, choice))
            for choice in wanted
            if found.keys().isdisjoint(map(self.column, choice))
        ]
        named = [column for column in self._column_of.values() if column not in found]
        missing += [column for column in named if column not in " or ".join(missing).split(" or ")]
        if found and missing:
            has = ", ".join(map(repr, found))
            raise ClassifierError(
                f"{name} has no column {' and '.join(missing)} but {has:.300}: "
                "say which is which, as in --columns content=TEXT,grade3=LABEL."
            )


DEFAULT = Schema()

OURS = Schema(scale="10")
"""Of files that are written for these models: nobody has to say that their ratings are of 10."""
