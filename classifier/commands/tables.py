"""Figures as tables for the terminal."""

from typing import Any

from rich.console import Console
from rich.table import Table

_HEADLINES = {
    "accuracy": "accuracy",
    "weighted_precision": "weighted precision",
    "weighted_recall": "weighted recall",
    "weighted_f1": "weighted F1",
    "macro_precision": "macro precision",
    "macro_recall": "macro recall",
    "macro_f1": "macro F1",
    "rating_mae": "rating MAE",
    "rating_exact": "rating exact",
    "rating_within_1": "rating within 1",
    "rating_qwk": "rating weighted kappa",
    "ece": "calibration error",
    "ece_uncalibrated": "  before temperature",
}


def print_figures(console: Console, figures: dict[str, Any], title: str) -> None:
    """Both models' figures with 95 % intervals, by class, confused with what, and the verdict."""
    poolings = ("cls", "mean")
    rows = figures["cls"]["rows"]
    rated = figures["cls"].get("rated_rows", 0)
    console.print(f"\n{title}: {rows:,} reviews, {rated:,} with a rating", style="bold")
    _print_headlines(console, figures, poolings)
    _print_classes(console, figures, poolings)
    for pooling in poolings:
        _print_confusion(console, pooling, figures[pooling])
    for line in _verdicts(figures):
        console.print(line, style="bold", highlight=False, soft_wrap=True)


def _print_headlines(console: Console, figures: dict[str, Any], poolings: tuple[str, ...]) -> None:
    table = Table("", *(f"{pooling} [dim](95 % interval)" for pooling in poolings))
    for key, name in _HEADLINES.items():
        if any(key in figures[pooling] for pooling in poolings):
            table.add_row(name, *(_figure(figures[pooling], key) for pooling in poolings))
    console.print(table)


def _figure(metrics: dict[str, Any], key: str) -> str:
    value = metrics.get(key)
    if value is None:
        return "-"
    interval = metrics["intervals"].get(key)
    shown = f"{value:.4f}"
    return f"{shown} [dim]({interval[0]:.3f} to {interval[1]:.3f})" if interval else shown


def _print_classes(console: Console, figures: dict[str, Any], poolings: tuple[str, ...]) -> None:
    table = Table("class", "reviews", *(f"{p} {m}" for p in poolings for m in ("P", "R", "F1")))
    for name, first in figures[poolings[0]]["per_class"].items():
        cells = [
            f"{figures[pooling]['per_class'][name][measure]:.3f}"
            for pooling in poolings
            for measure in ("precision", "recall", "f1")
        ]
        table.add_row(name, f"{first['support']:,}", *cells)
    console.print(table)


def _print_confusion(console: Console, pooling: str, metrics: dict[str, Any]) -> None:
    names = list(metrics["per_class"])
    table = Table(f"{pooling}: true", *(f"as {name}" for name in names))
    for name, counts in zip(names, metrics["confusion"], strict=True):
        table.add_row(name, *(f"{count:,}" for count in counts))
    console.print(table)


def _verdicts(figures: dict[str, Any]) -> list[str]:
    comparison = figures["comparison"]
    agreement = f"The models agree on {comparison['sentiment_agreement']:.1%} of the sentiments"
    if "rating_agreement_exact" in comparison:
        agreement += f" and {comparison['rating_agreement_exact']:.1%} of the ratings"
    lines = [f"{agreement}.", comparison["verdict"]]
    if "seeds" in figures:
        lines.append(figures["seeds"]["verdict"])
    return lines


def print_versus(console: Console, comparison: dict[str, Any]) -> None:
    """The verdict on two versions, a line a pooling."""
    for pooling, compared in comparison.items():
        console.print(
            f"{pooling}: {compared['verdict']}", style="bold", highlight=False, soft_wrap=True
        )
