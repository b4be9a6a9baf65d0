"""The report of a model version: one HTML file that needs nothing but itself, and its plots.

It answers "which pooling is better, and is that more than chance?" first, then shows what that
rests on. The page loads nothing from anywhere: its own content security policy forbids it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from classifier.evaluation.comparison import Comparison, findings_of
from classifier.evaluation.figures import METRICS, POOLING_NAMES, metrics_of
from classifier.explanation.reasons import Predict, explanation_of
from classifier.files import write_text
from classifier.labels import NO_RATING, SENTIMENTS
from classifier.modeling.outputs import (
    Labels,
    Outputs,
    answers_of,
    rating_confidence,
    rating_distribution,
)
from classifier.modeling.temperature import calibrated_probabilities
from classifier.reports.plots import draw_plots
from classifier.reports.templates import FoldedText, fold, parts_of_verdict, template
from classifier.reports.why import Why, Words, why

WORST = 10
DISAGREEMENTS = 5
_WHY = Words(
    title="Why: by how many points each sentence changes the rating",
    title_words="Why: there is one sentence, so by how many points each word changes the rating",
    rests_on="The sentiment rests on",
    nothing="Nothing by itself changes the rating.",
    differ="The models rest on different parts.",
    points=lambda pull: f"{pull:+.1f}".replace("-", "−"),
)


@dataclass(frozen=True)
class Holdout:
    """The n reviews that took no part in training, and what the models say of them."""

    texts: list[str]  # as the models saw them
    films: list[str | None]
    labels: Labels
    outputs: dict[str, Outputs]  # those of "cls" and of "mean"


@dataclass(frozen=True)
class Answer:
    """What one model says of one review, with its confidences from 0 to 1."""

    sentiment: str
    confidence: float
    right: bool
    rating: int | None
    rating_confidence: float  # probability of being within one point; 0 without a rating
    rating_error: int | None  # absolute, in points; None where the truth or the answer is missing


@dataclass(frozen=True)
class Example:
    """A review worth reading: the truth beside both models' answers."""

    film: str | None
    sentiment: str
    rating: int | None
    answers: dict[str, Answer]
    text: FoldedText
    why: Why


def write_report(
    folder: Path,
    training: dict[str, Any],
    history: dict[str, Any],
    metrics: dict[str, Any],
    holdout: Holdout,
    predict: Predict,
) -> None:
    """Write report.html and, as plots/NAME.png and plots/NAME-dark.png, its plots into `folder`.

    `training`, `history` and `metrics` are what a model version's JSON files hold. `metrics` may
    have "unstripped", both models' figures with the written ratings left in the texts, and "seeds",
    what `comparison.compare_seeds` gives. `predict` answers the variants of the reviews that are
    shown, which says why. Files that exist are replaced. Raises ClassifierError
    where report.html can't be written.
    """
    lengths = np.array([len(text) for text in holdout.texts])
    plots = draw_plots(history, metrics, lengths, holdout.labels, holdout.outputs)
    (folder / "plots").mkdir(parents=True, exist_ok=True)
    for name, plot in plots.items():
        (folder / "plots" / f"{name}.png").write_bytes(plot.light)
        (folder / "plots" / f"{name}-dark.png").write_bytes(plot.dark)
    page = template(Path(__file__).with_name("report.html.jinja")).render(
        training=training,
        history=history,
        metrics=metrics,
        verdict=parts_of_verdict(metrics["comparison"]["verdict"]),
        seeds_verdict=parts_of_verdict(metrics["seeds"]["verdict"]) if "seeds" in metrics else None,
        better=shown_better(metrics["comparison"]),
        measured=metrics_of(metrics[pooling] for pooling in POOLING_NAMES),
        compared=[METRICS[name].name for name in metrics["comparison"]["differences"]],
        sentiments=SENTIMENTS,
        examples=examples_of(
            holdout,
            {pooling: metrics[pooling]["temperature"] for pooling in POOLING_NAMES},
            predict,
        ),
        plots=plots,
    )
    write_text(folder / "report.html", page)


def shown_better(comparison: Comparison) -> dict[str, str]:
    """Measure to the pooling better in it, for the differences that the verdict counts as shown."""
    findings = findings_of(comparison["differences"])
    return {found.measure: comparison["names"][found.better] for found in findings if found.shown}


def examples_of(
    holdout: Holdout, temperatures: dict[str, float], predict: Predict
) -> dict[str, list[Example]]:
    """The reviews worth reading, the worst first, by what makes them so.

    `wrong_sentiment` has the ten most confident wrong answers of either model, `wrong_rating` the
    ten largest errors, `disagreement` the five reviews on which the models differ most.
    """
    answers = {
        pooling: _answers(outputs, holdout.labels, temperatures[pooling])
        for pooling, outputs in holdout.outputs.items()
    }
    pairs = list(zip(answers["cls"], answers["mean"], strict=True))
    explained = cache(lambda row: why(explanation_of(predict, holdout.texts[row]), _WHY))

    def worst(worth: Callable[[Answer, Answer], float], count: int) -> list[Example]:
        worths = [worth(*pair) for pair in pairs]
        order = sorted(range(len(pairs)), key=worths.__getitem__, reverse=True)
        chosen = [row for row in order[:count] if worths[row] > 0]
        return [_example(holdout, answers, row, explained(row)) for row in chosen]

    return {
        "wrong_sentiment": worst(_confidence_when_wrong, WORST),
        "wrong_rating": worst(_rating_error, WORST),
        "disagreement": worst(_disagreement, DISAGREEMENTS),
    }


def _confidence_when_wrong(first: Answer, second: Answer) -> float:
    return max(0.0 if answer.right else answer.confidence for answer in (first, second))


def _rating_error(first: Answer, second: Answer) -> float:
    """The larger of the errors; among equals, the one with the larger other error."""
    errors = first.rating_error or 0, second.rating_error or 0
    return max(errors) + min(errors) / 100


def _disagreement(first: Answer, second: Answer) -> float:
    """How sure the models are of different sentiments, and how far apart their ratings are."""
    apart = 0.0
    if first.sentiment != second.sentiment:
        apart += (first.confidence + second.confidence) / 2
    if first.rating is not None and second.rating is not None:
        apart += abs(first.rating - second.rating) / 10
    return apart


def _answers(outputs: Outputs, labels: Labels, temperature: float) -> list[Answer]:
    confidence = calibrated_probabilities(outputs.sentiment_logits, temperature).max(axis=1)
    answered = answers_of(outputs)
    if answered.rating is not None:
        near = rating_confidence(rating_distribution(outputs), answered.rating)
    result = []
    for row, (sentiment, truth) in enumerate(zip(labels.sentiment, labels.rating, strict=True)):
        rating = None if answered.rating is None else int(answered.rating[row])
        error = None if rating is None or truth == NO_RATING else abs(rating - int(truth))
        answer = Answer(
            sentiment=SENTIMENTS[answered.sentiment[row]],
            confidence=float(confidence[row]),
            right=bool(answered.sentiment[row] == sentiment),
            rating=rating,
            rating_confidence=0.0 if rating is None else float(near[row]),
            rating_error=error,
        )
        result.append(answer)
    return result


def _example(holdout: Holdout, answers: dict[str, list[Answer]], row: int, because: Why) -> Example:
    rating = int(holdout.labels.rating[row])
    return Example(
        film=holdout.films[row],
        sentiment=SENTIMENTS[holdout.labels.sentiment[row]],
        rating=None if rating == NO_RATING else rating,
        answers={pooling: of_model[row] for pooling, of_model in answers.items()},
        text=fold(holdout.texts[row]),
        why=because,
    )
