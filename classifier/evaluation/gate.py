"""Whether a challenger may take the champion's place: both predict the same rows.

The rows are the champion's holdout, which the challenger was not trained on either, and reviews
rated by users, where there are enough of them.
"""

import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from numpy.typing import NDArray

from classifier.data.tokenizer import FastTokenizer
from classifier.evaluation.figures import absent_note, signed
from classifier.evaluation.limits import LIMITS
from classifier.evaluation.resampling import SIGNIFICANCE, Difference, paired_differences
from classifier.evaluation.version_scores import Scores, score, versus
from classifier.labels import SENTIMENTS
from classifier.modeling.pooling import POOLINGS
from classifier.registry.version import Version
from classifier.serving.predictor import load_model

_TIMED_REVIEWS = 32
_TIMES = 7
_RESAMPLES = 2000  # of persons


@dataclass(frozen=True)
class Check:
    """One figure, the limit it must keep to, and whether it does."""

    name: str  # macro_f1, in_short, recall, feedback, calibration or speed
    pooling: str
    passed: bool
    value: float
    limit: float
    sentiment: str | None = None  # of which the recall is

    def sentence(self) -> str:
        of = f" of {self.sentiment}" if self.sentiment else ""
        figure, limit = signed(self.value), signed(self.limit)
        return f"{_TITLES[self.name]}{of} ({self.pooling}) {figure}, limit {limit}"


_TITLES = {
    "macro_f1": "lower end of the interval of the difference in macro F1",
    "in_short": (
        f"lower end of the interval of the difference in macro F1, {LIMITS.in_short} tokens read"
    ),
    "recall": "change in recall",
    "feedback": "upper end of the interval of the change in accuracy on rated reviews",
    "calibration": "lower end of the interval of the calibration error",
    "speed": "time of a prediction relative to the champion's",
}


@dataclass(frozen=True)
class Decision:
    """Whether a challenger is accepted, and why."""

    champion: str
    challenger: str
    holdout_rows: int
    rated_rows: int  # held-out reviews rated by users
    checks: list[Check]
    rated_persons: int = 0  # by so many; a review that doesn't say by whom is one of its own
    figures: dict[str, Any] = field(default_factory=dict)
    """By "holdout", "in_short" and "feedback": both versions' figures and their comparison."""

    @property
    def accepted(self) -> bool:
        return all(check.passed for check in self.checks)

    @property
    def reason(self) -> str:
        """One sentence."""
        absent = absent_note(self._absent())
        failed = [check.sentence() for check in self.checks if not check.passed]
        if failed:
            judged = f" (on {self.holdout_rows} held-out reviews{absent})" if absent else ""
            return f"{self.challenger} is refused{judged}: {'; '.join(failed)}."
        rated = ""
        if self.rated_rows:
            rated = f"{self.rated_rows} rated ones of {self.rated_persons} persons"
            judged_on_rated = any(check.name == "feedback" for check in self.checks)
            rated = f" and {rated}" if judged_on_rated else f"; {rated} are too few to judge by"
        return (
            f"{self.challenger} is accepted: no worse than {self.champion} on"
            f" {self.holdout_rows} held-out reviews{absent}{rated}."
        )

    def _absent(self) -> list[str]:
        """The sentiments that no held-out review has."""
        champion = self.figures.get("holdout", {}).get("champion", {})
        absent: list[str] = champion.get("cls", {}).get("absent_classes", [])
        return absent

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "accepted": self.accepted, "reason": self.reason}


def judge(
    champion: Version,
    challenger: Version,
    holdout: Dataset,
    rated: Dataset | None,
    *,
    device: torch.device,
    cache: Path,
) -> Decision:
    """Compare both on rows as `Reviews.rows` has them: the holdout and rated reviews.

    Nothing about the rated ones is written to `cache`. Raises ClassifierError for a version that
    can't be loaded, or rows that can't be told from each other.
    """
    versions = champion, challenger
    old, new = (score(version, holdout, device, cache) for version in versions)
    figures = {"holdout": _figures(old, new)}
    if max(old.longest, new.longest) > LIMITS.in_short:
        short = (score(version, holdout, device, cache, LIMITS.in_short) for version in versions)
        figures["in_short"] = _figures(*short)
    checks: list[Check] = []
    for pooling in POOLINGS:
        checks.append(_macro_f1("macro_f1", pooling, figures["holdout"]))
        if "in_short" in figures:
            checks.append(_macro_f1("in_short", pooling, figures["in_short"]))
        checks += _recalls(pooling, old, new)
        checks.append(calibration_check(pooling, old, new))
    persons = _persons(rated)
    rated_persons = int(persons.max(initial=-1)) + 1
    if (
        rated is not None
        and len(rated) >= LIMITS.fewest_rated
        and rated_persons >= LIMITS.fewest_persons
    ):
        old, new = (score(version, rated, device, None) for version in versions)
        figures["feedback"] = _figures(old, new)
        for pooling in POOLINGS:
            found = by_person(old.right(pooling), new.right(pooling), persons)
            differences = figures["feedback"]["comparison"][pooling]["differences"]
            differences["accuracy"] = asdict(found)
            checks.append(feedback_check(pooling, found))
    checks += _speeds(champion, challenger, list(holdout["text"][:_TIMED_REVIEWS]), device)
    return Decision(
        champion=champion.name,
        challenger=challenger.name,
        holdout_rows=len(holdout),
        rated_rows=0 if rated is None else len(rated),
        checks=checks,
        rated_persons=rated_persons,
        figures=figures,
    )


def _macro_f1(name: str, pooling: str, figures: dict[str, Any]) -> Check:
    low = figures["comparison"][pooling]["differences"]["macro_f1"]["low"]
    limit = -LIMITS.macro_f1_margin
    return Check(name, pooling, low > limit, low, limit)


def _recalls(pooling: str, old: Scores, new: Scores) -> list[Check]:
    checks = []
    for sentiment in SENTIMENTS:
        before, after = (each.metrics[pooling]["per_class"][sentiment] for each in (old, new))
        if rows := before["support"]:
            change = after["recall"] - before["recall"]
            limit = -max(LIMITS.recall_fall, LIMITS.chance_reviews / rows)
            passed = change >= limit - 1e-9
            checks.append(Check("recall", pooling, passed, change, limit, sentiment))
    return checks


def calibration_check(pooling: str, old: Scores, new: Scores) -> Check:
    limit = max(LIMITS.calibrated, old.metrics[pooling]["ece"] + LIMITS.calibration_rise)
    low = float(new.metrics[pooling]["intervals"]["ece"][0])
    return Check("calibration", pooling, low <= limit, low, limit)


def _persons(rated: Dataset | None) -> NDArray[np.int64]:
    """The number of the person who rated each row, from 0."""
    numbers: dict[object, int] = {}
    names = [] if rated is None else rated["person"]
    keys: list[object] = [row if name is None else name for row, name in enumerate(names)]
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)


def by_person(
    old: NDArray[np.bool_], new: NDArray[np.bool_], persons: NDArray[np.int64]
) -> Difference:
    """The change in accuracy, new less old, as the mean over persons of their own accuracies.

    A person with many reviews counts as one with few, so that none can turn the result alone.
    """
    reviews = np.bincount(persons)

    def sums(right: NDArray[np.bool_]) -> NDArray[np.float64]:
        accuracy = np.bincount(persons, right) / reviews
        return np.stack([accuracy, np.ones(len(reviews))], axis=1)

    found = paired_differences(
        sums(old),
        sums(new),
        lambda sums: {"accuracy": sums[:, 0] / sums[:, 1]},
        seed=0,
        resamples=_RESAMPLES,
    )
    return found["accuracy"]


def feedback_check(pooling: str, found: Difference) -> Check:
    """Refuses what is worse by more than chance; being better earns nothing."""
    is_worse = found.high < 0 and found.p <= SIGNIFICANCE
    return Check("feedback", pooling, not is_worse, found.high, 0.0)


def _figures(old: Scores, new: Scores) -> dict[str, Any]:
    return {
        "champion": old.metrics,
        "challenger": new.metrics,
        "comparison": versus(old, new, ("champion", "challenger")),
    }


def _speeds(
    champion: Version, challenger: Version, texts: list[str], device: torch.device
) -> list[Check]:
    """Timed in turns, so that another busy process slows both; the quickest turn counts."""
    checks = []
    for pooling in POOLINGS:
        timed = []
        for version in (champion, challenger):
            model = load_model(version.path / pooling, device)
            tokenizer = FastTokenizer(version.path / pooling)
            tokens = tokenizer.tokens(texts, model.config.max_tokens, model.config.head_share)
            timed.append((model, tokens))
        seconds: list[list[float]] = [[], []]
        for _ in range(_TIMES):
            for each, (model, tokens) in zip(seconds, timed, strict=True):
                started = time.perf_counter()
                model.predict(tokens)
                each.append(time.perf_counter() - started)
        before, after = map(min, seconds)
        limit = max(LIMITS.slowness, 1 + LIMITS.unnoticed * len(texts) / before)
        checks.append(Check("speed", pooling, after / before <= limit, after / before, limit))
    return checks
