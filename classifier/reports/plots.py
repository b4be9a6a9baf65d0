"""The plots of a report as PNG images, each drawn for light and for dark screens."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, StrMethodFormatter
from numpy.typing import NDArray

from classifier.evaluation.calibration import BINS, reliability_bins
from classifier.evaluation.figures import POOLING_NAMES
from classifier.labels import SENTIMENTS
from classifier.modeling.outputs import Labels, Outputs
from classifier.modeling.temperature import calibrated_probabilities
from classifier.reports.drawing import (
    MARKERS,
    WIDTH,
    ConfusionWords,
    draw_confusions,
    draw_png,
    legend,
    style,
)
from classifier.reports.length_errors import ErrorsByLength, errors_by_length
from classifier.reports.theme import DARK, LIGHT, Theme

_CSS_PIXELS_PER_INCH = 96
_PERCENT = FuncFormatter(lambda share, _: f"{100 * share:.4g}%")

Draw = Callable[[Figure, Theme], None]


@dataclass(frozen=True)
class Plot:
    """One plot as two PNG images of the same size."""

    light: bytes
    dark: bytes
    width: int  # in CSS pixels, as is the height; the images have more pixels than that
    height: int


def draw_plots(
    history: Mapping[str, list[dict[str, Any]]],
    metrics: Mapping[str, Any],
    lengths: NDArray[np.int64],
    labels: Labels,
    outputs: Mapping[str, Outputs],
) -> dict[str, Plot]:
    """Every plot by name: loss, accuracy, confusion, per_class_f1, reliability, error_by_length.

    `history` and `metrics` are those of a model version, `lengths` [n] the characters of the
    holdout's texts, `labels` and `outputs` of the same n rows. What needs ratings is left out
    where no model has a rating head or no row has a rating.
    """
    by_length = errors_by_length(lengths, labels, outputs)
    drawings: dict[str, tuple[float, Draw]] = {
        "loss": _curves(history, {"loss": "Loss, total", "rating_loss": "Loss, rating head"}),
        "accuracy": _curves(
            history,
            {"accuracy": "Accuracy, sentiment", "rating_accuracy": "Accuracy, exact rating"},
            shares=True,
        ),
        "confusion": (2.9, partial(_draw_confusion, metrics)),
        "per_class_f1": (2.7, partial(_draw_per_class_f1, metrics)),
        "reliability": (4.6, partial(_draw_reliability, metrics, labels, outputs)),
        "error_by_length": (
            5.4 if by_length.has_ratings else 4.0,
            partial(_draw_error_by_length, by_length),
        ),
    }
    return {
        name: Plot(
            light=draw_png(height, LIGHT, draw),
            dark=draw_png(height, DARK, draw),
            width=round(WIDTH * _CSS_PIXELS_PER_INCH),
            height=round(height * _CSS_PIXELS_PER_INCH),
        )
        for name, (height, draw) in drawings.items()
    }


def _name_x(axes: Axes, theme: Theme, name: str) -> None:
    axes.set_xlabel(name, fontsize=theme.text_size, color=theme.text)


def _pooling_legend(figure: Figure, theme: Theme, axes: Axes) -> None:
    legend(figure, theme, axes.get_legend_handles_labels()[0], handlelength=1.8)


def _curves(
    history: Mapping[str, list[dict[str, Any]]], titles: dict[str, str], *, shares: bool = False
) -> tuple[float, Draw]:
    """Height and drawing of the figures by epoch, leaving out those that no model has."""
    epochs = [epoch for rows in history.values() for epoch in rows]
    present = {
        name: title
        for name, title in titles.items()
        if any(epoch.get(f"validation_{name}") is not None for epoch in epochs)
    }
    height = 0.9 + 2.0 * max(1, len(present))
    return height, partial(_draw_curves, history, present, shares)


def _draw_curves(
    history: Mapping[str, list[dict[str, Any]]],
    titles: dict[str, str],
    shares: bool,
    figure: Figure,
    theme: Theme,
) -> None:
    if not titles:
        return
    panels = figure.subplots(len(titles), squeeze=False, sharex=True)[:, 0]
    for axes, (name, title) in zip(panels, titles.items(), strict=True):
        style(axes, theme, title, grid="y")
        for pooling in POOLING_NAMES:
            _draw_curve(axes, theme, pooling, name, history[pooling])
        axes.margins(x=0.06, y=0.12)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.yaxis.set_major_locator(MaxNLocator(5))
        if shares:
            axes.yaxis.set_major_formatter(_PERCENT)
    _name_x(panels[-1], theme, "Epoch")
    _pooling_legend(figure, theme, panels[0])


def _draw_curve(
    axes: Axes, theme: Theme, pooling: str, name: str, epochs: list[dict[str, Any]]
) -> None:
    colour = theme.of(pooling)
    for part, line, filling in (("train", ":", theme.background), ("validation", "-", colour)):
        key = f"{part}_{name}"
        known = [epoch for epoch in epochs if epoch.get(key) is not None]
        axes.plot(
            [epoch["epoch"] for epoch in known],
            [epoch[key] for epoch in known],
            color=colour,
            linestyle=line,
            linewidth=2,
            marker=MARKERS[pooling],
            markersize=5,
            markerfacecolor=filling,
            label=f"{POOLING_NAMES[pooling]} {part}",
        )


def _draw_confusion(metrics: Mapping[str, Any], figure: Figure, theme: Theme) -> None:
    words = ConfusionWords(
        titles={pooling: f"{name} answers" for pooling, name in POOLING_NAMES.items()},
        sentiments=SENTIMENTS,
        truth="Truth",
        cell=lambda count, share: f"{count}\n" + ("–" if share is None else f"{share:.0%}"),
    )
    counts = {pooling: np.array(metrics[pooling]["confusion"]) for pooling in POOLING_NAMES}
    draw_confusions(figure, theme, counts, words)


def _draw_per_class_f1(metrics: Mapping[str, Any], figure: Figure, theme: Theme) -> None:
    axes = figure.subplots()
    style(axes, theme, "F1 by sentiment", grid="y")
    places = np.arange(len(SENTIMENTS))
    for side, (pooling, name) in zip((-0.2, 0.2), POOLING_NAMES.items(), strict=True):
        f1 = [metrics[pooling]["per_class"][sentiment]["f1"] for sentiment in SENTIMENTS]
        bars = axes.bar(places + side, f1, width=0.38, color=theme.of(pooling), label=name)
        axes.bar_label(bars, fmt="%.2f", fontsize=theme.text_size, color=theme.text, padding=2)
    support = [metrics["cls"]["per_class"][sentiment]["support"] for sentiment in SENTIMENTS]
    axes.set_xticks(
        places, [f"{name}\n{rows} rows" for name, rows in zip(SENTIMENTS, support, strict=True)]
    )
    axes.set_ylim(0, 1.15)
    axes.set_yticks(np.linspace(0, 1, 6))
    _pooling_legend(figure, theme, axes)


def _draw_reliability(
    metrics: Mapping[str, Any],
    labels: Labels,
    outputs: Mapping[str, Outputs],
    figure: Figure,
    theme: Theme,
) -> None:
    upper, lower = figure.subplots(2, sharex=True, height_ratios=[2.2, 1])
    style(upper, theme, "Right answers by confidence", grid="y")
    style(lower, theme, "Rows (logarithmic scale)", grid="y")
    least = 1 / len(SENTIMENTS)
    upper.plot([least, 1], [least, 1], color=theme.muted, linewidth=1, linestyle="--")
    confidence = []
    for pooling, name in POOLING_NAMES.items():
        probabilities = calibrated_probabilities(
            outputs[pooling].sentiment_logits, metrics[pooling]["temperature"]
        )
        bins = reliability_bins(probabilities, labels.sentiment)
        colour = theme.of(pooling)
        upper.plot(bins.confidence, bins.accuracy, color=colour, linewidth=1, alpha=0.5)
        upper.scatter(
            bins.confidence,
            bins.accuracy,
            s=12 + 160 * bins.count / bins.count.sum(),
            color=colour,
            marker=MARKERS[pooling],
            alpha=0.85,
            label=name,
        )
        confidence.append(probabilities.max(axis=1))
    lower.hist(
        confidence,
        bins=np.linspace(0, 1, BINS + 1).tolist(),
        color=[theme.of(pooling) for pooling in POOLING_NAMES],
    )
    lower.set_yscale("log")
    lower.set_ylim(bottom=0.7)
    lower.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    lower.minorticks_off()
    upper.set_xlim(least - 0.03, 1.03)
    for axis in (upper.xaxis, upper.yaxis):
        axis.set_major_locator(MaxNLocator(5))
        axis.set_major_formatter(_PERCENT)
    _name_x(lower, theme, "Confidence in the sentiment")
    _pooling_legend(figure, theme, upper)


def _draw_error_by_length(errors: ErrorsByLength, figure: Figure, theme: Theme) -> None:
    heights = [1.5, 1.5, 1] if errors.has_ratings else [1.5, 1]
    upper, *middle, lower = figure.subplots(len(heights), sharex=True, height_ratios=heights)
    style(upper, theme, "Accuracy, sentiment", grid="y")
    upper.yaxis.set_major_formatter(_PERCENT)
    _draw_intervals(upper, errors.accuracy, theme)
    for axes in middle:
        style(axes, theme, "Rating MAE, points", grid="y")
        _draw_intervals(axes, errors.rating_mae, theme)
    style(lower, theme, "Rows (narrow bars: rated)" if middle else "Rows", grid="y")
    places = np.arange(len(errors.rows))
    lower.bar(places, errors.rows, width=0.7, color=theme.grid)
    if middle:
        lower.bar(places, errors.rated_rows, width=0.3, color=theme.muted)
    lower.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    lower.set_xticks(
        places,
        [
            f"{short}–\n{long}" if short < long else f"{long}"
            for short, long in zip(errors.shortest, errors.longest, strict=True)
        ],
    )
    lower.set_xlim(-0.6, len(places) - 0.4)
    _name_x(lower, theme, "Characters in the review")
    _pooling_legend(figure, theme, upper)


def _draw_intervals(axes: Axes, of_poolings: dict[str, NDArray[np.float64]], theme: Theme) -> None:
    for side, (pooling, name) in zip((-0.07, 0.07), POOLING_NAMES.items(), strict=True):
        if pooling not in of_poolings:
            continue
        value, low, high = of_poolings[pooling]
        axes.errorbar(
            np.arange(len(value)) + side,
            value,
            yerr=np.maximum([value - low, high - value], 0),  # rounding can turn 0 into -1e-17
            color=theme.of(pooling),
            marker=MARKERS[pooling],
            markersize=6,
            linewidth=2,
            elinewidth=1.2,
            label=name,
        )
    axes.yaxis.set_major_locator(MaxNLocator(5))
