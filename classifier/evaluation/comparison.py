"""Which of two models is better on the same reviews, and whether that is more than chance.

`compare` asks it of two trained models: would other reviews of the same kind show the same?
`compare_seeds` asks it of two ways of training: would training again show the same?
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import ttest_rel

from classifier.errors import ClassifierError
from classifier.evaluation.figures import (
    METRICS,
    POOLING_TITLES,
    absent_note,
    capitalized,
    p_value,
    signed,
)
from classifier.evaluation.metrics import Metrics, absent_classes
from classifier.evaluation.resampling import (
    SIGNIFICANCE,
    Difference,
    excludes_zero,
    mcnemar,
    paired_differences,
)
from classifier.evaluation.review_sums import (
    MEASURES,
    figures_of_sums,
    review_sums,
    with_ratings,
)
from classifier.labels import NEAR, NO_RATING
from classifier.modeling.outputs import Answers, Labels, Outputs, answers_of, check_outputs

Comparison = dict[str, Any]


@dataclass(frozen=True)
class Finding:
    """One measure of a verdict: the second model's figure less the first's, and the evidence."""

    measure: str
    difference: float
    interval: tuple[float, float] | None  # low and high, of 95 %; None where the note says it all
    note: str  # further evidence in words
    shown: bool  # whether the difference is more than chance, by the evidence

    @property
    def better(self) -> int:
        """0 for the first model, 1 for the second."""
        return int((self.difference > 0) != (METRICS[self.measure].lower_is_better))

    def sentence(self, of: int = 1) -> str:
        """Model `of` less the other: "macro F1 +0.021 (95 % interval …, p = 0.004)"."""
        difference = self.difference if of == 1 else -self.difference
        return f"{METRICS[self.measure].name} {signed(difference)} ({self.evidence(of)})"

    def evidence(self, of: int = 1) -> str:
        """The interval, with its signs reversed for model 0, and the note."""
        if self.interval is None:
            return self.note
        low, high = self.interval if of == 1 else (-self.interval[1], -self.interval[0])
        return f"95 % interval {signed(low)} to {signed(high)}, {self.note}"


def compare(
    first: Outputs,
    second: Outputs,
    labels: Labels,
    *,
    names: tuple[str, str] = ("cls", "mean"),
    seed: int = 0,
    resamples: int = 2000,
) -> Comparison:
    """Two models on the same rows, ready for JSON.

    Keys: `names`, `rows`, `rated_rows`; `sentiment_agreement`, `rating_agreement_exact` and
    `rating_agreement_within_1`, the shares of all rows where the models answer alike; `mcnemar`
    (`first_only_right`, `second_only_right`, exact two-sided `p`); `differences`, for macro_f1,
    accuracy and rating_mae the second model's figure less the first's, its 95 % interval (`low`,
    `high`) and `p`, of `resampling.paired_differences` with each row as its own unit, but of exact
    McNemar for accuracy; `p_limit`; `verdict`, one sentence. What needs ratings is absent where a
    model has no rating head or no row has a rating.

    The verdict counts a difference where p is at most `p_limit`, 0.05 shared out among the measures
    (Bonferroni), and, in macro F1 and rating MAE, the interval excludes zero. So at most some 5 of
    100 pairs of equal models are told apart. (Simulated with 906 rows, 3 % Neutral: 4 of 100; 14
    with the interval alone for each of them and p < 0.05 for accuracy.) The verdict is about these
    two trained models; `compare_seeds` is about training them again. Give at least some hundred
    resamples: p can't be less than 1 / (resamples + 1). Raises ClassifierError as
    `outputs.check_outputs` does.
    """
    check_outputs(first, labels)
    check_outputs(second, labels)
    answers = answers_of(first), answers_of(second)
    first_right, second_right = (model.sentiment == labels.sentiment for model in answers)
    first_only = int((first_right & ~second_right).sum())
    second_only = int((second_right & ~first_right).sum())
    p = mcnemar(first_only, second_only)
    found = _differences(answers, labels, seed, resamples)
    differences = {name: asdict(difference) for name, difference in found.items()}
    differences["accuracy"]["p"] = p
    rows = len(labels.sentiment)
    return {
        "names": list(names),
        "rows": rows,
        "rated_rows": int((labels.rating != NO_RATING).sum()),
        **_agreement(answers),
        "mcnemar": {"first_only_right": first_only, "second_only_right": second_only, "p": p},
        "differences": differences,
        "p_limit": SIGNIFICANCE / len(differences),
        "verdict": verdict_sentence(
            findings_of(differences),
            names,
            f"on {rows} review{'s' * (rows != 1)}{absent_note(absent_classes(labels))}",
        ),
    }


def _agreement(answers: tuple[Answers, Answers]) -> dict[str, float]:
    first, second = answers
    agreement = {"sentiment_agreement": float((first.sentiment == second.sentiment).mean())}
    if first.rating is not None and second.rating is not None:
        apart = np.abs(first.rating - second.rating)
        agreement["rating_agreement_exact"] = float((apart == 0).mean())
        agreement["rating_agreement_within_1"] = float((apart <= NEAR).mean())
    return agreement


def _differences(
    answers: tuple[Answers, Answers], labels: Labels, seed: int, resamples: int
) -> dict[str, Difference]:
    ratings = with_ratings(answers, labels)
    first, second = (review_sums([model], labels, ratings=ratings) for model in answers)
    return paired_differences(first, second, figures_of_sums, seed=seed, resamples=resamples)


def findings_of(differences: dict[str, dict[str, float]], *, exact: bool = True) -> list[Finding]:
    """What the `differences` of a comparison show, by the rule of `compare`.

    `exact`: whether the p of the accuracy is McNemar's.
    """
    findings, p_limit = [], SIGNIFICANCE / len(differences)
    for measure, found in differences.items():
        difference, p, interval = found["difference"], found["p"], (found["low"], found["high"])
        note = f"p {p_value(p)}"
        if p_limit < p < SIGNIFICANCE:
            note += f", the limit for {len(differences)} measures being {p_limit:.3f}"
        if measure == "accuracy" and exact:
            findings.append(Finding(measure, difference, None, f"McNemar {note}", p <= p_limit))
        else:
            shown = p <= p_limit and excludes_zero(difference, *interval)
            findings.append(Finding(measure, difference, interval, note, shown))
    return findings


def compare_seeds(
    runs: Sequence[tuple[Metrics, Metrics]], *, names: tuple[str, str] = ("cls", "mean")
) -> Comparison:
    """Two ways of training over several seeds, from `evaluation.evaluate`'s metrics of each run.

    Keys: `names`, `seeds`, `figures`, `verdict`. Each figure that is a number in every run has
    `first` and `second` (`mean` and `sd` over the seeds, n - 1), `differences` (second less first,
    by seed), `difference` (their mean), `low` and `high` (95 % paired t interval, None where every
    seed's difference is the same, for then there is no variation to judge by), and
    `every_seed_agrees` (all differences are above zero, or all below).

    The verdict counts a difference in macro F1, accuracy or rating MAE where every seed agrees and
    the interval excludes zero, each measure for itself: a limit shared out among the measures, as
    in `compare`, would find nothing in three seeds. The interval is about training again with other
    seeds on the same reviews, not about other reviews. Raises ClassifierError for fewer than two
    runs.
    """
    if len(runs) < 2:
        raise ClassifierError(f"Comparing over seeds needs at least 2 seeds, not {len(runs)}.")
    every_run = [metrics for run in runs for metrics in run]
    figures = {
        name: _seed_figure(
            np.array([first[name] for first, _ in runs]),
            np.array([second[name] for _, second in runs]),
        )
        for name in every_run[0]
        if all(isinstance(metrics.get(name), float) for metrics in every_run)
    }
    return {
        "names": list(names),
        "seeds": len(runs),
        "figures": figures,
        "verdict": verdict_sentence(
            [_seed_finding(name, figures[name], names) for name in MEASURES if name in figures],
            names,
            f"over {len(runs)} seeds",
        ),
    }


def _seed_figure(first: NDArray[np.float64], second: NDArray[np.float64]) -> dict[str, Any]:
    differences = second - first
    low = high = None
    if np.ptp(differences) > 1e-12:
        low, high = (float(end) for end in ttest_rel(second, first).confidence_interval(0.95))
    return {
        "first": {"mean": float(first.mean()), "sd": float(first.std(ddof=1))},
        "second": {"mean": float(second.mean()), "sd": float(second.std(ddof=1))},
        "differences": differences.tolist(),
        "difference": float(differences.mean()),
        "low": low,
        "high": high,
        "every_seed_agrees": bool((differences > 0).all() or (differences < 0).all()),
    }


def _seed_finding(measure: str, figure: dict[str, Any], names: tuple[str, str]) -> Finding:
    differences = np.array(figure["differences"])
    note = "every seed agrees"
    if not figure["every_seed_agrees"]:
        second = POOLING_TITLES.get(names[1], names[1])
        second_better = differences < 0 if METRICS[measure].lower_is_better else differences > 0
        note = f"{second} better in {second_better.sum()} of {len(differences)}"
    if figure["low"] is None:
        note = f"{note}, the same difference each time"
        return Finding(measure, figure["difference"], None, note, shown=False)
    interval = figure["low"], figure["high"]
    shown = figure["every_seed_agrees"] and excludes_zero(figure["difference"], *interval)
    return Finding(measure, figure["difference"], interval, note, shown)


def verdict_sentence(findings: list[Finding], names: tuple[str, str], scope: str) -> str:
    """One sentence that names every measure; differences are the better model less the other."""
    first, second = (POOLING_TITLES.get(name, name) for name in names)
    shown = [finding for finding in findings if finding.shown]
    won = [_listed([f.sentence(model) for f in shown if f.better == model]) for model in (0, 1)]
    if not shown:
        differences = ", ".join(finding.sentence() for finding in findings)
        return (
            f"No difference shown between {first} and {second} {scope}; "
            f"{second} minus {first}: {differences}."
        )
    better = 1 if won[1] else 0
    if all(won):
        sentence = f"{_begun(names[0])} is better {scope} in {won[0]}, {second} in {won[1]}"
    else:
        sentence = f"{_begun(names[better])} is better {scope}: {won[better]}"
    rest = [f"{METRICS[f.measure].name} ({f.evidence(better)})" for f in findings if not f.shown]
    if rest:
        sentence += f"; no difference shown in {_listed(rest)}"
    return f"{sentence}."


def _begun(name: str) -> str:
    """The title at the beginning of a sentence; a version's name stays as it is written."""
    return capitalized(POOLING_TITLES[name]) if name in POOLING_TITLES else name


def _listed(parts: list[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
