"""Is CLS or mean pooling better, and does it depend on the encoder? Over all seeds of each.

A review's answers of all seeds count together, so that each review is one unit however often it
was answered: the intervals are about other reviews of the same kind. `paired_differences` draws
the same reviews for all models.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.evaluation.comparison import findings_of, verdict_sentence
from classifier.evaluation.figures import METRICS, POOLING_TITLES, p_value, signed
from classifier.evaluation.resampling import (
    SIGNIFICANCE,
    Figures,
    all_chunks,
    drawn_sizes,
    excludes_zero,
    paired_differences,
    percentile_interval,
)
from classifier.evaluation.review_sums import figures_of_sums, review_sums, with_ratings
from classifier.modeling.outputs import Answers, Labels, Outputs, answers_of

POOLINGS = ("cls", "mean")
_RESAMPLES = 2000
_SEED = 0
Sums = NDArray[np.int64]  # [reviews, k], as of `review_sums`


@dataclass(frozen=True)
class Entry:
    """An encoder on the board: what its models say of the holdout, and what else is known."""

    name: str
    facts: dict[str, Any]
    labels: Labels
    outputs: dict[str, list[Outputs]]  # by pooling, one of each seed


def board(entries: Sequence[Entry]) -> dict[str, Any]:
    """The figures of every encoder and pooling and how they compare, ready for JSON.

    Keys: `rows`, `seeds`; `unlearnt`, a sentence about models that answer every review alike, or
    None; `models`, each encoder's two, the best macro F1 first (`encoder`,
    `pooling`, `figures`, their `intervals` of 95 %, and `behind`, the best one's figures less
    these); `poolings`, for each encoder mean pooling less CLS pooling (`differences`, as of
    `comparison.compare`, and `verdict`), `overall`, the same over all of them together, and
    `dependence` (see `_dependence`). `entries` has at least one, all with the same labels.
    """
    labels = entries[0].labels
    answers = {
        (entry.name, pooling): [answers_of(each) for each in entry.outputs[pooling]]
        for entry in entries
        for pooling in POOLINGS
    }
    ratings = with_ratings([one for each in answers.values() for one in each], labels)
    sums = {key: review_sums(each, labels, ratings=ratings) for key, each in answers.items()}
    seeds = len(entries[0].outputs["cls"])
    scope = f"on {len(labels.sentiment):,} reviews"
    scope += f", counted over {seeds} seeds" if seeds > 1 else ""
    names = [entry.name for entry in entries]
    cls, mean = (np.sum([sums[name, pooling] for name in names], axis=0) for pooling in POOLINGS)
    return {
        "rows": len(labels.sentiment),
        "seeds": seeds,
        "unlearnt": _unlearnt(answers),
        "models": _models(sums),
        "poolings": {
            name: _compared(sums[name, "cls"], sums[name, "mean"], f"{scope} with {name}")
            for name in names
        },
        "overall": _compared(cls, mean, _of_all(scope, len(names))),
        "dependence": _dependence(names, sums),
    }


def _unlearnt(answers: dict[tuple[str, str], list[Answers]]) -> str | None:
    alike = [
        f"{name} with {POOLING_TITLES[pooling]}"
        for (name, pooling), each in answers.items()
        if all(np.ptp(one.sentiment) == 0 for one in each)
    ]
    if not alike:
        return None
    which = "Every model answers" if len(alike) == len(answers) else f"{', '.join(alike)} answers"
    return f"{which} every review with one sentiment: nothing was learnt of it, train for longer."


def _of_all(scope: str, encoders: int) -> str:
    return scope if encoders == 1 else f"{scope} and {encoders} encoders together"


def _models(sums: dict[tuple[str, str], Sums]) -> list[dict[str, Any]]:
    models: list[dict[str, Any]] = []
    for (name, pooling), of_model in sums.items():
        total = figures_of_sums(of_model.sum(axis=0, dtype=np.float64)[None])
        figures = {measure: float(value) for measure, (value,) in total.items()}
        intervals = _intervals(of_model)
        models.append(
            {"encoder": name, "pooling": pooling, "figures": figures, "intervals": intervals}
        )
    models.sort(key=lambda model: model["figures"]["macro_f1"], reverse=True)
    best = sums[models[0]["encoder"], models[0]["pooling"]]
    for model in models[1:]:
        behind = _differences(sums[model["encoder"], model["pooling"]], best)
        model["behind"] = {name: asdict(found) for name, found in behind.items()}
    return models


def _intervals(sums: Sums) -> dict[str, list[float]]:
    kinds, sizes = np.unique(sums, axis=0, return_counts=True)
    resampled = all_chunks(
        figures_of_sums(drawn @ kinds.astype(np.float64))
        for drawn, _ in drawn_sizes(sizes, _RESAMPLES, _SEED)
    )
    found = {name: percentile_interval(values) for name, values in resampled.items()}
    return {name: interval for name, interval in found.items() if interval is not None}


def _differences(first: Sums, second: Sums) -> dict[str, Any]:
    return paired_differences(first, second, figures_of_sums, seed=_SEED, resamples=_RESAMPLES)


def _compared(first: Sums, second: Sums, scope: str) -> dict[str, Any]:
    differences = {name: asdict(found) for name, found in _differences(first, second).items()}
    verdict = verdict_sentence(findings_of(differences, exact=False), POOLINGS, scope)
    return {"differences": differences, "verdict": verdict}


def _dependence(names: Sequence[str], sums: dict[tuple[str, str], Sums]) -> dict[str, Any]:
    """Whether what mean pooling adds differs between two encoders, on the same reviews.

    Keys: `pairs` (`first`, `second` and `differences`: mean less CLS with the second encoder, less
    the same with the first), `p_limit`, 0.05 shared out among all pairs and measures, `shown` and
    `verdict`, a sentence. A difference is shown where p is at most the limit and its interval
    excludes zero.
    """
    both = {name: np.hstack([sums[name, pooling] for pooling in POOLINGS]) for name in names}

    def added(drawn: NDArray[np.float64]) -> Figures:
        cls, mean = (figures_of_sums(half) for half in np.hsplit(drawn, 2))
        return {name: mean[name] - cls[name] for name in cls}

    pairs: list[dict[str, Any]] = []
    for first, second in combinations(names, 2):
        found = paired_differences(
            both[first], both[second], added, seed=_SEED, resamples=_RESAMPLES
        )
        differences = {name: asdict(one) for name, one in found.items()}
        pairs.append({"first": first, "second": second, "differences": differences})
    tests = sum(len(pair["differences"]) for pair in pairs)
    limit = SIGNIFICANCE / max(1, tests)
    shown = [
        _worded(pair, measure, one)
        for pair in pairs
        for measure, one in pair["differences"].items()
        if one["p"] <= limit and excludes_zero(one["difference"], one["low"], one["high"])
    ]
    return {
        "pairs": pairs,
        "p_limit": limit,
        "shown": len(shown),
        "verdict": _dependence_verdict(pairs, shown, limit),
    }


def _worded(pair: dict[str, Any], measure: str, one: dict[str, float]) -> str:
    gains = (one["difference"] < 0) == METRICS[measure].lower_is_better
    more, less = (pair["second"], pair["first"])[:: 1 if gains else -1]
    return (
        f"in {METRICS[measure].name} {POOLING_TITLES['mean']} gains more over "
        f"{POOLING_TITLES['cls']} with {more} than with {less}, by {signed(abs(one['difference']))}"
        f" (p {p_value(one['p'])})"
    )


def _dependence_verdict(pairs: list[dict[str, Any]], shown: list[str], limit: float) -> str:
    if not pairs:
        return "With one encoder it can't be told whether it depends on the encoder."
    if shown:
        return f"It depends on the encoder: {'; '.join(shown)}."
    least = min(one["p"] for pair in pairs for one in pair["differences"].values())
    return (
        "It is not shown to depend on the encoder: what mean pooling gains or loses differs "
        f"between no two of them by more than chance (the least p {p_value(least)}, the limit "
        f"being {limit:.3f})."
    )
