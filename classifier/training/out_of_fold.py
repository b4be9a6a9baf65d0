"""What both models say of every review when they were trained without it, and a linear one beside
them: cross-validation.

    <run>/fold-1.json   what is kept of a finished fold
    <run>/fold-2/       the checkpoints of the one that is under way

What is finished is not trained again: the same call goes on where it was killed.
"""

import json
import shutil
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold

from classifier.data.holdout import Separated
from classifier.data.reviews import Reviews
from classifier.errors import ClassifierError
from classifier.explanation.reasons import against
from classifier.files import write_json
from classifier.labels import SENTIMENTS
from classifier.modeling.outputs import answers_of, labels_of
from classifier.modeling.pooling import POOLINGS, Pooling
from classifier.modeling.saving import save_model
from classifier.modeling.temperature import calibrated_probabilities
from classifier.progress import progress
from classifier.reports.audit import Said, Suspect
from classifier.serving.predictor import Predictor
from classifier.training.checkpoint import RunFolder
from classifier.training.experiment import Experiment, Finished
from classifier.training.experiment_data import Data
from classifier.training.linear import linear_probabilities
from classifier.training.recipe import DEFAULT

FOLDS = 3  # of which two are trained on
_LEAST = 40  # reviews

RECIPE = DEFAULT.changed(epochs=2, batch_size=8, least_steps=0)
"""Small batches: of a third fewer reviews, as many steps."""


@dataclass(frozen=True)
class OutOfFold:
    """What is said of each of n reviews by models that have not seen it."""

    probabilities: dict[Pooling, NDArray[np.float64]]  # [n, 3], in the order of SENTIMENTS
    linear: NDArray[np.float64]  # [n, 3]
    ratings: dict[Pooling, list[int | None]]
    against: dict[int, dict[Pooling, str | None]]
    """Of a review that all together would label otherwise: what in it speaks most against its
    label, a sentence or the words of its only one; None where nothing by itself does."""

    @property
    def together(self) -> NDArray[np.float64]:
        return _mean(self.probabilities, self.linear)

    def suspect(self, number: int, row: dict[str, Any], quality: float) -> Suspect:
        """The review of that number, whose label has this quality."""
        given, against = row["sentiment"], self.against.get(number, {})
        models = {}
        for pooling, probabilities in self.probabilities.items():
            of_row = probabilities[number]
            models[pooling] = Said(
                SENTIMENTS[int(of_row.argmax())],
                float(of_row.max()),
                float(of_row[given]),
                self.ratings[pooling][number],
                against.get(pooling),
            )
        return Suspect(
            review_id=row["review_id"],
            film=row["movie_name"],
            sentiment=SENTIMENTS[given],
            rating=row["rating"],
            likely=SENTIMENTS[int(self.together[number].argmax())],
            quality=quality,
            models=models,
            text=row["text"],
        )


def out_of_fold(experiment: Experiment, run: RunFolder) -> OutOfFold:
    """Train on all but a fold, for each of FOLDS, and ask of the fold.

    `experiment` has the reviews and the encoder. Raises ClassifierError for too few reviews.
    """
    reviews = experiment.data.reviews
    sentiments = np.asarray(reviews.rows["sentiment"])
    name = reviews.rows.info.description
    if len(sentiments) < _LEAST:
        raise ClassifierError(
            f"{name} has {len(sentiments)} usable rows; at least {_LEAST} are needed: each is "
            "judged by models that were trained on the others."
        )
    kinds, counts = np.unique(sentiments, return_counts=True)
    if np.sort(counts)[-2:].min() < FOLDS or len(kinds) < 2:
        raise ClassifierError(
            f"{name} has too few rows of a second sentiment: at least {FOLDS} are needed of two."
        )
    with warnings.catch_warnings():  # of a sentiment with fewer rows than there are folds
        warnings.simplefilter("ignore", UserWarning)
        seed = experiment.settings.seed
        split = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
        folds = [fold for _, fold in split.split(sentiments, sentiments)]
    found = []
    for number, fold in enumerate(folds, start=1):
        experiment.context.console.conclude(f"Fold {number} of {FOLDS}")
        found.append(_fold(experiment, run.folder / f"fold-{number}", fold))
    return _together(folds, found, len(sentiments))


def _fold(experiment: Experiment, folder: Path, fold: NDArray[np.int64]) -> dict[str, Any]:
    """What the models trained on the other folds say of this one, now or earlier."""
    kept, console = folder.with_suffix(".json"), experiment.context.console
    try:
        found: dict[str, Any] = json.loads(kept.read_bytes())
    except FileNotFoundError:
        pass
    else:
        console.say("It was done before.")
        return found
    folder.mkdir(exist_ok=True)
    for file in folder.glob(".*.tmp"):  # of a process that was killed
        file.unlink()
    run = RunFolder(folder)
    console.say(run.what_is_there())
    others, asked = _split(experiment.data.reviews, fold)
    linear = linear_probabilities(others, asked)
    separated = Separated(asked, others, {"in_both": 0, "of_its_films": 0})
    finished = replace(experiment, data=Data(others, separated, None)).run(run)
    found = _said(finished, linear)
    write_json(kept, found)
    shutil.rmtree(folder)
    return found


def _split(reviews: Reviews, fold: NDArray[np.int64]) -> tuple[Reviews, Reviews]:
    """The reviews to train on, and those of the fold."""
    others = np.setdiff1d(np.arange(len(reviews.rows)), fold)
    rows = reviews.rows
    return replace(reviews, rows=rows.select(others)), replace(reviews, rows=rows.select(fold))


def _mean(
    probabilities: Mapping[Pooling, NDArray[np.float64]], linear: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The models of the encoder have one voice, the linear one the other: see
    docs/experiments.md."""
    return np.asarray((np.mean(list(probabilities.values()), axis=0) + linear) / 2)


def _said(finished: Finished, linear: NDArray[np.float64]) -> dict[str, Any]:
    """The answers on the fold, ready for JSON, and why they speak against labels."""
    results, rows = finished.by_seed[0], finished.parts.holdout
    probabilities: dict[Pooling, NDArray[np.float64]] = {}
    ratings = {}
    for pooling in POOLINGS:
        trained = results[pooling]
        logits = trained.outputs.sentiment_logits
        probabilities[pooling] = calibrated_probabilities(logits, trained.temperature)
        answered = answers_of(trained.outputs).rating
        ratings[pooling] = [None] * len(rows) if answered is None else answered.tolist()
    given = labels_of(rows).sentiment
    suspects = np.flatnonzero(_mean(probabilities, linear).argmax(axis=1) != given)
    return {
        "probabilities": {name: found.tolist() for name, found in probabilities.items()},
        "linear": linear.tolist(),
        "ratings": ratings,
        "against": _against(finished, suspects, given),
    }


def _against(
    finished: Finished, suspects: NDArray[np.int64], given: NDArray[np.int64]
) -> dict[str, dict[Pooling, str | None]]:
    """By the place in the fold: what speaks most against the given label."""
    version = finished.both.folder.folder / "version"
    for pooling in POOLINGS:
        save_model(finished.model(pooling), finished.experiment.tokenizer, version / pooling)
    context, texts = finished.experiment.context, finished.parts.holdout["text"]
    predict, title = Predictor(version, context.group.device).predict, "what speaks against labels"
    found = {}
    with progress(title, context.console.rich) as report:
        for done, row in enumerate(suspects.tolist(), start=1):
            found[str(row)] = against(predict, texts[row], SENTIMENTS[given[row]])
            report(done, len(suspects), title)
    return found


def _together(folds: list[NDArray[np.int64]], found: list[dict[str, Any]], rows: int) -> OutOfFold:
    """The folds' answers, in the order of the reviews."""
    said = OutOfFold(
        {pooling: np.zeros((rows, len(SENTIMENTS))) for pooling in POOLINGS},
        np.zeros((rows, len(SENTIMENTS))),
        {pooling: [None] * rows for pooling in POOLINGS},
        {},
    )
    for fold, of_fold in zip(folds, found, strict=True):
        said.linear[fold] = of_fold["linear"]
        for pooling in POOLINGS:
            said.probabilities[pooling][fold] = of_fold["probabilities"][pooling]
            for row, rating in zip(fold.tolist(), of_fold["ratings"][pooling], strict=True):
                said.ratings[pooling][row] = rating
        for place, pieces in of_fold["against"].items():
            said.against[int(fold[int(place)])] = pieces
    return said
