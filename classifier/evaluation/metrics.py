"""The figures of one model on labelled reviews, each with a bootstrap interval.

Every figure is computed from counts, here and nowhere else: those of a file's rows, of a resample
of them, or of live answers that the database has counted. The intervals are the percentile
bootstrap of Efron and Tibshirani ("An Introduction to the Bootstrap", 1993, chapter 13): rows are
drawn with replacement, and every figure is computed anew from the counts of the rows drawn.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.evaluation.calibration import BINS, calibration_gaps, expected_calibration_error
from classifier.evaluation.resampling import (
    Figures,
    all_chunks,
    drawn_rows,
    percentile_interval,
    ratio,
    sums_by_cell,
)
from classifier.labels import NEAR, NO_RATING, RATINGS, SENTIMENTS
from classifier.modeling.outputs import Answers, Labels, Outputs, answers_of, check_outputs
from classifier.modeling.temperature import calibrated_probabilities

Metrics = dict[str, Any]

CLASSES = len(SENTIMENTS)
_RATINGS = len(RATINGS)


def evaluate(
    outputs: Outputs,
    labels: Labels,
    *,
    temperature: float = 1.0,
    seed: int = 0,
    resamples: int = 1000,
) -> Metrics:
    """Every figure of one model, ready for JSON (no NaN), with 95 % intervals of the main ones.

    Precision, recall and F1 are over all three sentiments, 0 where undefined, so a class without
    rows pulls the macro figures down. `ece` is after division by `temperature`, which
    `temperature.fit_temperature` finds on validation rows; `ece_uncalibrated` is before.

    The rating figures are over the rows that have a rating, and absent where there are none or the
    model has no rating head. `rating_qwk` is None where truth and answers are all one rating.
    `intervals` holds [low, high] for each figure that isn't None. Resamples in which a figure is
    undefined are left out of its interval. Chance raises the calibration error, since it adds up
    absolute gaps, and raises it once more in a resample; its interval therefore reaches as far
    below the figure as the resamples reach above it. In simulation that interval held the truth 92
    to 96 times in 100 where the error was well above the noise of its rows, the percentile interval
    0 to 93; for a model with hardly any error both the figure and its interval stay too high (about
    0.025 on 900 rows). Raises ClassifierError as `check_outputs` does.
    """
    check_outputs(outputs, labels)
    answers, rows = answers_of(outputs), len(labels.sentiment)
    gaps = {
        name: calibration_gaps(
            calibrated_probabilities(outputs.sentiment_logits, divisor), labels.sentiment
        )
        for name, divisor in (("ece", temperature), ("ece_uncalibrated", 1.0))
    }

    def figures_of(drawn: NDArray[np.int64]) -> Figures:
        figures = resampled_figures(answers, labels, drawn)
        for name, (bin_of_row, gap) in gaps.items():
            by_bin = sums_by_cell(bin_of_row[drawn], BINS, gap[drawn])
            figures[name] = expected_calibration_error(by_bin, rows)
        return figures

    every_row = np.arange(rows)[None, :]
    figures = {
        name: None if np.isnan(value) else float(value)
        for name, (value,) in figures_of(every_row).items()
    }
    resampled = all_chunks(map(figures_of, drawn_rows(rows, resamples, seed)))
    intervals = {}
    for name, value in figures.items():
        interval = percentile_interval(resampled[name])
        if value is None or interval is None:
            continue
        if name in gaps:
            high = max(interval[1], value)
            interval = [max(0.0, 2 * value - high), high]
        intervals[name] = interval
    return {
        **figures,
        **_class_metrics(_confusion(answers, labels, every_row)),
        "temperature": float(temperature),
        "rows": rows,
        "rated_rows": int((labels.rating != NO_RATING).sum()),
        "absent_classes": absent_classes(labels),
        "intervals": intervals,
    }


def figures_of_answers(answers: Answers, labels: Labels) -> Metrics:
    """The sentiment and rating figures that `evaluate` has, of answers without probabilities."""
    every_row = np.arange(len(labels.sentiment))[None, :]
    figures = resampled_figures(answers, labels, every_row).items()
    return {
        **{name: None if np.isnan(value) else float(value) for name, (value,) in figures},
        **_class_metrics(_confusion(answers, labels, every_row)),
    }


def absent_classes(labels: Labels) -> list[str]:
    """The sentiments that no row has: each counts 0 in the macro figures."""
    return [name for index, name in enumerate(SENTIMENTS) if index not in labels.sentiment]


def _class_metrics(confusion: NDArray[np.float64]) -> Metrics:
    """The figures of each class, and the confusion counts [1, truth, answer] themselves."""
    by_class = {**_by_class(confusion), "support": confusion.sum(axis=2).astype(np.int64)}
    return {
        "per_class": {
            name: {figure: values[0, index].item() for figure, values in by_class.items()}
            for index, name in enumerate(SENTIMENTS)
        },
        "confusion": confusion[0].astype(np.int64).tolist(),
    }


def resampled_figures(answers: Answers, labels: Labels, drawn: NDArray[np.int64]) -> Figures:
    """The sentiment and rating figures of each resample, of the rows `drawn` [m, rows]."""
    figures = sentiment_figures(_confusion(answers, labels, drawn))
    rated = labels.rating != NO_RATING
    if answers.rating is not None and rated.any():
        # Rows without a rating go to one cell more, which is then left out.
        cells = np.where(rated, labels.rating * _RATINGS + answers.rating, _RATINGS**2)
        counts = sums_by_cell(cells[drawn], _RATINGS**2 + 1)[:, :-1]
        figures |= rating_figures(counts.reshape(-1, _RATINGS, _RATINGS))
    return figures


def _confusion(answers: Answers, labels: Labels, drawn: NDArray[np.int64]) -> NDArray[np.float64]:
    """Counts [m, truth, answer] of the sentiments of the rows `drawn` [m, rows]."""
    cells = labels.sentiment * CLASSES + answers.sentiment
    return sums_by_cell(cells[drawn], CLASSES**2).reshape(-1, CLASSES, CLASSES)


def sentiment_figures(confusion: NDArray[Any]) -> Figures:
    """Accuracy, precision, recall and F1 [m] from confusion counts [m, truth, answer].

    The averages are over all classes; one that is neither true nor answered counts 0.
    """
    support = confusion.sum(axis=2)
    rows = support.sum(axis=1)
    figures = {"accuracy": ratio(np.trace(confusion, axis1=1, axis2=2), rows)}
    by_class = _by_class(confusion)
    weighted = {name: ratio((v * support).sum(axis=1), rows) for name, v in by_class.items()}
    figures |= {f"weighted_{name}": value for name, value in weighted.items()}
    return figures | {f"macro_{name}": values.mean(axis=1) for name, values in by_class.items()}


def _by_class(confusion: NDArray[Any]) -> Figures:
    """Precision, recall and F1 of each class [m, class]."""
    right = np.diagonal(confusion, axis1=1, axis2=2)
    support, answered = confusion.sum(axis=2), confusion.sum(axis=1)
    return {
        "precision": ratio(right, answered, undefined=0.0),
        "recall": ratio(right, support, undefined=0.0),
        "f1": ratio(2 * right, support + answered, undefined=0.0),
    }


def rating_figures(confusion: NDArray[Any]) -> Figures:
    """MAE, exact, within one and quadratic kappa [m] from counts [m, truth, shown].

    Kappa: Cohen, "Weighted kappa", Psychological Bulletin 70(4), 1968.
    """
    rating = np.arange(confusion.shape[-1])
    distance = np.abs(rating[:, None] - rating)
    by_chance = confusion.sum(axis=2)[:, :, None] * confusion.sum(axis=1)[:, None, :]
    rows = confusion.sum(axis=(1, 2))
    observed_square = (confusion * distance**2).sum(axis=(1, 2))
    expected_square = ratio((by_chance * distance**2).sum(axis=(1, 2)), rows)
    return {
        "rating_mae": ratio((confusion * distance).sum(axis=(1, 2)), rows),
        "rating_exact": ratio(np.trace(confusion, axis1=1, axis2=2), rows),
        "rating_within_1": ratio((confusion * (distance <= NEAR)).sum(axis=(1, 2)), rows),
        "rating_qwk": 1.0 - ratio(observed_square, expected_square),
    }
