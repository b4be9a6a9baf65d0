"""What poolings and metrics are called, and how figures are written: the same everywhere."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from classifier.labels import SENTIMENTS

POOLING_NAMES = {"cls": "CLS", "mean": "Mean"}  # on labels, in tables and in messages
POOLING_TITLES = {"cls": "CLS pooling", "mean": "mean pooling"}  # in a sentence


@dataclass(frozen=True)
class Metric:
    name: str  # in a sentence or a narrow table: "macro F1"
    full_name: str = ""  # where there is room; empty where the name says it all
    lower_is_better: bool = False
    is_main: bool = False  # whether it belongs into a short table of figures

    @property
    def title(self) -> str:
        return capitalized(self.name)

    @property
    def full_title(self) -> str:
        return capitalized(self.full_name or self.name)


METRICS = {
    "accuracy": Metric("accuracy", is_main=True),
    "weighted_f1": Metric("weighted F1", is_main=True),
    "weighted_precision": Metric("weighted precision"),
    "weighted_recall": Metric("weighted recall"),
    "macro_f1": Metric("macro F1", is_main=True),
    "macro_precision": Metric("macro precision"),
    "macro_recall": Metric("macro recall"),
    "rating_mae": Metric("rating MAE", lower_is_better=True, is_main=True),
    "rating_exact": Metric("rating exact"),
    "rating_within_1": Metric("rating within one", "rating within one point", is_main=True),
    "rating_qwk": Metric("rating QWK", "rating quadratic weighted kappa", is_main=True),
    "ece": Metric("ECE", "expected calibration error", lower_is_better=True, is_main=True),
    "ece_uncalibrated": Metric(
        "ECE before scaling",
        "expected calibration error before scaling",
        lower_is_better=True,
        is_main=True,
    ),
    "temperature": Metric("temperature"),
}  # by their keys in metrics.json, in the order of tables


def metrics_of(models: Iterable[Mapping[str, Any]]) -> dict[str, Metric]:
    """The metrics that some of the models, as `metrics.evaluate` gives them, has a figure of."""
    known = {name for model in models for name, value in model.items() if value is not None}
    return {name: metric for name, metric in METRICS.items() if name in known}


def figure(value: float | None) -> str:
    """A count in full, anything else with three decimals, a dash for an undefined figure."""
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}"


def signed(value: float) -> str:
    """A difference, with its sign."""
    return f"{round(value, 3) + 0.0:+.3f}"  # Adding 0.0 turns -0.0 into 0.0.


def p_value(value: float) -> str:
    """With its sign, to stand after "p": "= 0.042"."""
    return f"= {value:.3f}" if value >= 0.001 else "< 0.001"


def interval(figures: Mapping[str, Any], name: str, between: str = " to ") -> str:
    """The 95 % interval of a model's figure; empty for a figure that has none."""
    ends = figures["intervals"].get(name, ())
    return between.join(f"{end:.3f}" for end in ends)


def absent_note(absent: Sequence[str]) -> str:
    """What follows "… reviews" where some sentiments have none; empty where all have some."""
    if not absent:
        return ""
    most = 1 - len(absent) / len(SENTIMENTS)
    return f", none of them {' or '.join(absent)} (so macro F1 is at most {most:.3f})"


def capitalized(text: str) -> str:
    """With a capital at the beginning; the rest stays as it is written, "F1" or "CLS"."""
    return text[:1].upper() + text[1:]
