"""The figures of one model on labelled reviews, each with a bootstrap interval.

The figures themselves are scikit-learn's. The intervals are the percentile bootstrap of Efron and
Tibshirani ("An Introduction to the Bootstrap", 1993, chapter 13): rows are drawn with replacement,
and every figure is worked out anew from the confusion counts of the rows drawn. Counting is exact
and vectorised over resamples, which a thousand calls of scikit-learn would not be.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (
    accuracy_score,
    cohen_kappa_score,
    confusion_matrix,
    precision_recall_fscore_support,
)

from classifier.evaluation.calibration import BINS, calibration_gaps, expected_calibration_error
from classifier.labels import NO_RATING, RATINGS, SENTIMENTS
from classifier.modeling.outputs import Answers, Labels, Outputs, answers_of, check_outputs
from classifier.modeling.temperature import calibrated_probabilities

Metrics = dict[str, Any]
Figures = dict[str, NDArray[np.float64]]

_CLASSES = len(SENTIMENTS)
_RATINGS = len(RATINGS)
_CHUNK = 2**18  # Rows drawn at a time: few enough to stay in a processor's cache.


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
    `calibration.fit_temperature` finds on validation rows; `ece_uncalibrated` is before.

    The rating figures are over the rows that have a rating, and absent where there are none or the
    model has no rating head. `rating_qwk` is None where truth and answers are all one rating.
    `intervals` holds [low, high] for each figure that isn't None. Resamples in which a figure is
    undefined are left out of its interval. The calibration error is pushed up by chance, since it
    adds up absolute gaps, and pushed up once more in a resample; its interval therefore reaches as
    far below the figure as the resamples reach above it. In simulation that interval held the
    truth 92 to 96 times in 100 where the error was well above the noise of its rows, the
    percentile interval 0 to 93; for a model with hardly any error both the figure and its interval
    stay too high (about 0.025 on 900 rows).

    Raises ClassifierError as `check_outputs` does.
    """
    check_outputs(outputs, labels)
    answers = answers_of(outputs)
    probabilities = {
        "ece": calibrated_probabilities(outputs.sentiment_logits, temperature),
        "ece_uncalibrated": calibrated_probabilities(outputs.sentiment_logits),
    }
    metrics: Metrics = {
        **_sentiment_metrics(answers.sentiment, labels.sentiment),
        **_rating_metrics(answers.rating, labels.rating),
        **{
            name: expected_calibration_error(of_class, labels.sentiment)
            for name, of_class in probabilities.items()
        },
        "temperature": float(temperature),
        "rows": len(labels.sentiment),
        "rated_rows": int((labels.rating != NO_RATING).sum()),
    }
    gaps = {
        name: calibration_gaps(of_class, labels.sentiment)
        for name, of_class in probabilities.items()
    }
    resampled = _resample(answers, labels, gaps, seed, resamples)
    metrics["intervals"] = {}
    for name, values in resampled.items():
        interval = percentile_interval(values)
        if metrics[name] is None or interval is None:
            continue
        if name in gaps:
            high = max(interval[1], metrics[name])
            interval = [max(0.0, 2 * metrics[name] - high), high]
        metrics["intervals"][name] = interval
    return metrics


def _resample(
    answers: Answers,
    labels: Labels,
    gaps: dict[str, tuple[NDArray[np.int64], NDArray[np.float64]]],
    seed: int,
    resamples: int,
) -> Figures:
    """Every figure [resamples] of the bootstrap; `gaps` are `calibration_gaps` by figure."""
    rows = len(labels.sentiment)
    chunks: list[Figures] = []
    for drawn in drawn_integers(rows, rows, resamples, seed):
        figures = resampled_figures(answers, labels, drawn)
        for name, (bin_of_row, gap) in gaps.items():
            sums = sums_by_cell(bin_of_row, BINS, drawn, weights=gap)
            figures[name] = np.abs(sums).sum(axis=1) / rows
        chunks.append(figures)
    return joined(chunks)


def _sentiment_metrics(answered: NDArray[np.int64], truth: NDArray[np.int64]) -> Metrics:
    metrics: Metrics = {"accuracy": float(accuracy_score(truth, answered))}
    classes = range(_CLASSES)
    for average in ("weighted", "macro"):
        precision, recall, f1, _ = precision_recall_fscore_support(
            truth, answered, labels=classes, average=average, zero_division=0
        )
        metrics[f"{average}_precision"] = float(precision)
        metrics[f"{average}_recall"] = float(recall)
        metrics[f"{average}_f1"] = float(f1)
    by_class = precision_recall_fscore_support(truth, answered, labels=classes, zero_division=0)
    metrics["per_class"] = {
        name: {
            "precision": float(precision),
            "recall": float(recall),
            "f1": float(f1),
            "support": int(support),
        }
        for name, precision, recall, f1, support in zip(SENTIMENTS, *by_class, strict=True)
    }
    metrics["confusion"] = confusion_matrix(truth, answered, labels=classes).tolist()
    return metrics


def _rating_metrics(shown: NDArray[np.int64] | None, truth: NDArray[np.int64]) -> Metrics:
    rated = truth != NO_RATING
    if shown is None or not rated.any():
        return {}
    shown, truth = shown[rated], truth[rated]
    error = np.abs(shown - truth)
    one_rating_only = len(np.union1d(shown, truth)) == 1
    # All eleven ratings are named: kappa's weights are distances between positions in this list.
    kappa = (
        None
        if one_rating_only
        else float(cohen_kappa_score(truth, shown, labels=RATINGS, weights="quadratic"))
    )
    return {
        "rating_mae": float(error.mean()),
        "rating_exact": float((error == 0).mean()),
        "rating_within_1": float((error <= 1).mean()),
        "rating_qwk": kappa,
    }


def drawn_integers(below: int, rows: int, resamples: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """Integers from 0 to below `below`, in chunks [some resamples, rows] of bounded memory.

    Below `rows` they are rows drawn with replacement; below 2, the toss of a coin for each row.
    """
    generator = np.random.default_rng(seed)
    chunk = max(1, _CHUNK // rows)
    for start in range(0, resamples, chunk):
        yield generator.integers(0, below, size=(min(chunk, resamples - start), rows))


def sums_by_cell(
    cell_of_row: NDArray[np.int64],
    cells: int,
    drawn: NDArray[np.int64],
    weights: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """How many rows, or how much weight, each resample drew of each cell: [resamples, cells].

    Every row lies in one cell (of a confusion matrix, say); `drawn` is [resamples, rows].
    """
    offset = np.arange(len(drawn))[:, None] * cells
    drawn_weights = None if weights is None else weights[drawn].ravel()
    flat = np.bincount(
        (cell_of_row[drawn] + offset).ravel(), weights=drawn_weights, minlength=len(drawn) * cells
    )
    return flat.reshape(len(drawn), cells).astype(np.float64, copy=False)


def resampled_figures(answers: Answers, labels: Labels, drawn: NDArray[np.int64]) -> Figures:
    """The sentiment and rating figures of each resample: name to [resamples], NaN if undefined."""
    cells = labels.sentiment * _CLASSES + answers.sentiment
    confusion = sums_by_cell(cells, _CLASSES**2, drawn).reshape(-1, _CLASSES, _CLASSES)
    figures = sentiment_figures(confusion)
    rated = labels.rating != NO_RATING
    if answers.rating is not None and rated.any():
        # Rows without a rating go to one cell more, which is then left out.
        cells = np.where(rated, labels.rating * _RATINGS + answers.rating, _RATINGS**2)
        counts = sums_by_cell(cells, _RATINGS**2 + 1, drawn)[:, :-1]
        figures |= rating_figures(counts.reshape(-1, _RATINGS, _RATINGS))
    return figures


def sentiment_figures(confusion: NDArray[np.float64]) -> Figures:
    """Accuracy, precision, recall and F1 [m] from confusion counts [m, truth, answer]."""
    right = np.diagonal(confusion, axis1=1, axis2=2)
    support, answered = confusion.sum(axis=2), confusion.sum(axis=1)
    by_class = {
        "precision": _ratio(right, answered),
        "recall": _ratio(right, support),
        "f1": _ratio(2 * right, support + answered),
    }
    rows = support.sum(axis=1)
    figures = {"accuracy": right.sum(axis=1) / rows}
    for name, values in by_class.items():
        figures[f"weighted_{name}"] = (values * support).sum(axis=1) / rows
        figures[f"macro_{name}"] = values.mean(axis=1)
    return figures


def rating_figures(confusion: NDArray[np.float64]) -> Figures:
    """MAE, exact, within one and quadratic kappa [m] from counts [m, truth, shown].

    Kappa: Cohen, "Weighted kappa", Psychological Bulletin 70(4), 1968.
    """
    rating = np.arange(confusion.shape[-1])
    distance = np.abs(rating[:, None] - rating)
    by_chance = confusion.sum(axis=2)[:, :, None] * confusion.sum(axis=1)[:, None, :]
    rows = confusion.sum(axis=(1, 2))
    observed_square = (confusion * distance**2).sum(axis=(1, 2))
    expected_square = _ratio((by_chance * distance**2).sum(axis=(1, 2)), rows, undefined=np.nan)
    return {
        "rating_mae": _ratio((confusion * distance).sum(axis=(1, 2)), rows, undefined=np.nan),
        "rating_exact": _ratio(np.trace(confusion, axis1=1, axis2=2), rows, undefined=np.nan),
        "rating_within_1": _ratio(
            (confusion * (distance <= 1)).sum(axis=(1, 2)), rows, undefined=np.nan
        ),
        "rating_qwk": 1.0 - _ratio(observed_square, expected_square, undefined=np.nan),
    }


def joined(chunks: list[Figures]) -> Figures:
    """The figures of all chunks of resamples, one after the other."""
    return {name: np.concatenate([figures[name] for figures in chunks]) for name in chunks[0]}


def percentile_interval(figures: NDArray[np.float64]) -> list[float] | None:
    """The 95 % percentile interval [low, high] of a figure's resamples; None if none is defined."""
    defined = figures[~np.isnan(figures)]
    return [float(end) for end in np.percentile(defined, [2.5, 97.5])] if len(defined) else None


def _ratio(
    numerator: NDArray[Any], denominator: NDArray[Any], undefined: float = 0.0
) -> NDArray[np.float64]:
    result = np.full(np.broadcast(numerator, denominator).shape, undefined)
    np.divide(numerator, denominator, out=result, where=denominator > 0)
    return result
