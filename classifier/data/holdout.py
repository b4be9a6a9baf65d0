"""A holdout from a file of its own, instead of a tenth of the reviews.

Models are not trained on any review of that file, even where another file has it too.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from datasets import Dataset
from numpy.typing import NDArray

from classifier.data.duplicates import repeats_of, versions_of_one_text
from classifier.data.reviews import Reviews, text_digest
from classifier.data.splits import By
from classifier.errors import ClassifierError

_LEAST = 10  # reviews; figures on fewer say nothing


@dataclass(frozen=True)
class Separated:
    """The holdout, and the reviews to train on without it."""

    holdout: Reviews
    rest: Reviews
    left_out: dict[str, int]
    """How many rows are not in `rest`: in_both (also in the holdout), of_its_films (about them)."""

    def summary(self) -> str:
        """One line: the size of the holdout, and how many reviews are left out because of it."""
        line = (
            f"Held out: all {len(self.holdout.rows):,} of them; "
            f"{self.left_out['in_both']:,} reviews that stand there too are left out of training"
        )
        if films := self.left_out["of_its_films"]:
            line += f", and {films:,} more that are about its films"
        return f"{line}."

    def record(self) -> dict[str, Any]:
        """For training.json: where the holdout came from.

        `same_ids`: ids of the holdout that a different review has among the rest, each with the
        digest of the holdout's text, by which the two can be told apart.
        """
        taken = set(self.rest.rows["review_id"])
        rows = self.holdout.rows
        return {
            "source": self.holdout.source,
            "reason": self.holdout.reason,
            "fingerprint": self.holdout.fingerprint,
            "counts": self.holdout.counts,
            "left_out": self.left_out,
            "same_ids": {
                review_id: text_digest(content)
                for review_id, content in zip(rows["review_id"], rows["content"], strict=True)
                if review_id in taken
            },
        }


def separate(reviews: Reviews, holdout: Reviews, by: By) -> Separated:
    """Leave out every review, and with `film` every film, that the holdout has too.

    Raises ClassifierError for a holdout that can't be judged by, and where nothing is left.
    """
    rows, name = reviews.rows, holdout.rows.info.description
    _check(holdout.rows, name)
    repeated = _repeated(rows, holdout.rows)
    of_its_films = np.zeros(len(rows), dtype=bool)
    if by == "film":
        films = {film for film in holdout.rows["movie_name"] if film}
        if not films:
            raise ClassifierError(f"{name} names no films (column movie_name) to split by.")
        of_its_films = np.array([film in films for film in rows["movie_name"]]) & ~repeated
    kept = np.flatnonzero(~(repeated | of_its_films))
    if not kept.size:
        raise ClassifierError(
            f"Nothing is left to train on: all {len(rows)} usable rows of {rows.info.description} "
            f"stand in {name} too{' or are about its films' if of_its_films.any() else ''}."
        )
    left_out = {"in_both": int(repeated.sum()), "of_its_films": int(of_its_films.sum())}
    return Separated(holdout, replace(reviews, rows=rows.select(kept)), left_out)


def _check(rows: Dataset, name: str) -> None:
    if len(rows) < _LEAST:
        raise ClassifierError(
            f"{name} has {len(rows)} usable rows; at least {_LEAST} are needed to judge by."
        )
    if len(set(rows["sentiment"])) < 2:
        raise ClassifierError(
            f"All {len(rows)} usable rows of {name} are of one sentiment: no model can be judged "
            "by them."
        )


def _repeated(rows: Dataset, holdout: Dataset) -> NDArray[np.bool_]:
    """`[n]`: whether a row is in the holdout too.

    By its text; or by its id, if the texts have much in common as well: two files that number
    their rows have the same ids for different reviews.
    """
    contents, known = list(rows["content"]), list(holdout["content"])
    repeated = repeats_of(known, contents)
    place = {review_id: index for index, review_id in enumerate(holdout["review_id"])}
    same_ids = [
        (index, place[review_id])
        for index, review_id in enumerate(rows["review_id"])
        if review_id in place
    ]
    if same_ids:
        mine, theirs = np.array(same_ids).T
        repeated[mine] |= versions_of_one_text(
            [contents[index] for index in mine], [known[index] for index in theirs]
        )
    return repeated
