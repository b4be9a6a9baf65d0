"""Rows for training, validation and holdout; and smaller sets with the same shares."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from datasets import Dataset
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from classifier.errors import ClassifierError

By = Literal["random", "film"]
_FOLDS = 10  # one to validate, one to hold out, the others to train


@dataclass(frozen=True)
class Parts:
    """The rows of each part, no row in two of them."""

    train: Dataset
    validation: Dataset
    holdout: Dataset

    def ids(self) -> dict[str, list[str]]:
        """The review ids of each part, in order: what `restore_split` takes."""
        return {name: list(part["review_id"]) for name, part in vars(self).items()}


def split_reviews(rows: Dataset, *, by: By, seed: int, holdout: Dataset | None = None) -> Parts:
    """80 % to train on, 10 % to validate, 10 % as the holdout, the sentiments alike in each.

    With a `holdout` from elsewhere it is 90 % to train on and 10 % to validate. `random` puts
    every sentiment that has as many rows as there are parts into every part; rarer ones are for
    training. `film` keeps the reviews of a film together, so sizes and shares are only as even as
    the films allow; a review without a film is a film of its own.
    The same rows and seed give the same parts.

    Raises ClassifierError for rows of one sentiment only, and for too few rows or films.
    """
    sentiments = np.asarray(rows["sentiment"])
    kinds, counts = np.unique(sentiments, return_counts=True)
    name = rows.info.description or "The source"
    parts = 3 if holdout is None else 2
    least = parts * max(len(kinds), 2)
    if len(rows) < least:
        purpose = "train, validate and hold out" if holdout is None else "train and validate"
        raise ClassifierError(
            f"{name} has {len(rows)} usable rows; at least {least} are needed to {purpose}."
        )
    if len(kinds) < 2:
        raise ClassifierError(f"All {len(rows)} usable rows of {name} are of one sentiment.")
    if by == "film":
        tenths = _film_tenths(rows, sentiments, seed, parts - 1)
    else:
        common = np.flatnonzero(np.isin(sentiments, kinds[counts >= parts]))
        tenths = _random_tenths(sentiments, common, seed, parts - 1)
    train = np.setdiff1d(np.arange(len(rows)), np.concatenate(tenths))
    if len(np.unique(sentiments[train])) < 2:
        raise ClassifierError(f"The films of {name} leave rows of one sentiment to train on.")
    validation, *drawn = [rows.select(tenth) for tenth in tenths]
    return Parts(rows.select(train), validation, drawn[0] if holdout is None else holdout)


def restore_split(
    rows: Dataset, ids: Mapping[str, list[str]], holdout: Dataset | None = None
) -> Parts:
    """The parts with these `Parts.ids`, from the rows (and the holdout) that were split.

    Raises ClassifierError where a review of the split is not among the rows.
    """
    if holdout is None:
        return Parts(**_restored(rows, ids))
    others = {name: part for name, part in ids.items() if name != "holdout"}
    # Each from its own file: one id may belong to different reviews in the two.
    return Parts(**_restored(rows, others), **_restored(holdout, {"holdout": ids["holdout"]}))


def _restored(rows: Dataset, ids: Mapping[str, list[str]]) -> dict[str, Dataset]:
    place = {review_id: index for index, review_id in enumerate(rows["review_id"])}
    wanted = [review_id for part in ids.values() for review_id in part]
    missing = [review_id for review_id in wanted if review_id not in place]
    if missing:
        raise ClassifierError(
            f"{rows.info.description or 'The source'} lacks {len(missing)} of the "
            f"{len(wanted)} reviews of the split, {missing[0]} for one: it has changed since."
        )
    return {name: rows.select([place[i] for i in part]) for name, part in ids.items()}


def stratified_subset(rows: Dataset, size: int, seed: int) -> Dataset:
    """`size` rows (all, where there are fewer) with the same shares of the sentiments.

    It has at least one row of each sentiment. A smaller subset with the same seed is the beginning
    of a larger one. Raises ClassifierError for a size below the number of sentiments.
    """
    sentiments = np.asarray(rows["sentiment"])
    least = len(np.unique(sentiments))
    if size < least:
        raise ClassifierError(f"{size} rows can't hold all {least} sentiments; take more.")
    return rows.select(_stratified_order(sentiments, seed)[:size])


def _random_tenths(
    sentiments: NDArray[np.int64], common: NDArray[np.int64], seed: int, count: int
) -> list[NDArray[np.int64]]:
    """`count` tenths, drawn from the `common` row numbers; the one drawn first comes last."""
    tenth = max(round(len(sentiments) / _FOLDS), len(np.unique(sentiments[common])))
    drawn: list[NDArray[np.int64]] = []
    for _ in range(count):
        drawn.insert(0, np.sort(common[_stratified_order(sentiments[common], seed)[:tenth]]))
        common = np.setdiff1d(common, drawn[0])
    return drawn


def _stratified_order(sentiments: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """A random order; any first rows of it have the shares of the whole, as near as rows allow.

    Row k of the n of a sentiment is placed at (k + 1/2) / n, like seats in Webster's apportionment
    (https://en.wikipedia.org/wiki/Sainte-Lagu%C3%AB_method): unlike with rounded quotas, taking
    more rows never takes fewer of a sentiment. The first row of each sentiment comes before all
    others. scikit-learn's stratified splits can leave a rare sentiment out of a part.
    """
    shuffled = np.random.default_rng(seed).permutation(len(sentiments))
    place = np.zeros(len(sentiments))
    for kind in np.unique(sentiments):
        members = shuffled[sentiments[shuffled] == kind]
        place[members[1:]] = (np.arange(1, len(members)) + 0.5) / len(members)
    return shuffled[np.argsort(place[shuffled], kind="stable")]


def _film_tenths(
    rows: Dataset, sentiments: NDArray[np.int64], seed: int, count: int
) -> list[NDArray[np.int64]]:
    """The `count` folds of whole films that are nearest to a tenth of the rows."""
    name = rows.info.description or "The source"
    films = rows["movie_name"]
    if not any(films):
        raise ClassifierError(f"{name} names no films (column movie_name) to split by.")
    _, film = np.unique(
        [title or f"\0{index}" for index, title in enumerate(films)], return_inverse=True
    )
    films_in_all = int(film.max()) + 1
    if films_in_all <= count:
        raise ClassifierError(f"{name} has {films_in_all} films; at least {count + 1} are needed.")
    folds = StratifiedGroupKFold(
        n_splits=min(_FOLDS, films_in_all, int(np.bincount(sentiments).max())),
        shuffle=True,
        random_state=seed,
    )
    with warnings.catch_warnings():  # about a sentiment with fewer rows than there are folds
        warnings.simplefilter("ignore", UserWarning)
        parts = [rows_of_fold for _, rows_of_fold in folds.split(film, sentiments, film)]
    filled = [part for part in parts if len(part)]
    filled.sort(key=lambda part: abs(len(part) - len(sentiments) / _FOLDS))
    return filled[:count]
