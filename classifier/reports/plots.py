"""The plots of a report as PNG images, each drawn for light and for dark screens.

They are sized for a phone: 3.5 inches are 336 CSS pixels, and no letter is below 11 points there.
Figures are made without pyplot, so nothing global is touched and any thread may draw.
"""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, StrMethodFormatter
from numpy.typing import NDArray

from classifier.evaluation.calibration import BINS, reliability_bins
from classifier.evaluation.figures import POOLING_NAMES
from classifier.labels import SENTIMENTS
from classifier.modeling.outputs import Labels, Outputs
from classifier.modeling.temperature import calibrated_probabilities
from classifier.reports.length_errors import ErrorsByLength, errors_by_length
from classifier.reports.theme import DARK, LIGHT, Theme

_WIDTH = 3.5  # inches
_PIXELS_PER_INCH = 256
_CSS_PIXELS_PER_INCH = 96
_POINTS = 11
_MARKERS = {"cls": "o", "mean": "s"}


@dataclass(frozen=True)
class Plot:
    """One plot as two PNG images of the same size."""

    light: bytes
    dark: bytes
    width: int
    """In CSS pixels, as is the height; the images have more pixels than that."""
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
    drawings: dict[str, tuple[float, Callable[[Figure, Theme], None]]] = {
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
    return {name: _plot(height, draw) for name, (height, draw) in drawings.items()}


def _plot(height: float, draw: Callable[[Figure, Theme], None]) -> Plot:
    images = []
    for theme in (LIGHT, DARK):
        figure = Figure(figsize=(_WIDTH, height), layout="constrained", facecolor=theme.background)
        draw(figure, theme)
        image = io.BytesIO()
        figure.savefig(image, format="png", dpi=_PIXELS_PER_INCH, metadata={"Software": None})
        images.append(image.getvalue())
    light, dark = images
    return Plot(
        light, dark, round(_WIDTH * _CSS_PIXELS_PER_INCH), round(height * _CSS_PIXELS_PER_INCH)
    )


def _style(axes: Axes, theme: Theme, title: str) -> None:
    axes.set_title(title, loc="left", fontsize=_POINTS, fontweight="bold", color=theme.text)
    axes.set_facecolor(theme.background)
    axes.tick_params(labelsize=_POINTS, labelcolor=theme.text, color=theme.grid)
    axes.grid(axis="y", color=theme.grid, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(theme.grid)


def _percent(share: float, _: int | None = None) -> str:
    return f"{100 * share:.4g}%"


def _name_x(axes: Axes, theme: Theme, name: str) -> None:
    axes.set_xlabel(name, fontsize=_POINTS, color=theme.text)


def _legend(figure: Figure, axes: Axes, theme: Theme) -> None:
    figure.legend(
        *axes.get_legend_handles_labels(),
        loc="outside upper left",
        ncols=2,
        fontsize=_POINTS,
        labelcolor=theme.text,
        frameon=False,
        columnspacing=1.2,
        handlelength=1.8,
    )


def _curves(
    history: Mapping[str, list[dict[str, Any]]], titles: dict[str, str], *, shares: bool = False
) -> tuple[float, Callable[[Figure, Theme], None]]:
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
        _style(axes, theme, title)
        for pooling, label in POOLING_NAMES.items():
            for part, style in (("train", ":"), ("validation", "-")):
                key = f"{part}_{name}"
                points = [
                    (row["epoch"], row[key]) for row in history[pooling] if row.get(key) is not None
                ]
                axes.plot(
                    [epoch for epoch, _ in points],
                    [value for _, value in points],
                    color=theme.of(pooling),
                    linestyle=style,
                    linewidth=2,
                    marker=_MARKERS[pooling],
                    markersize=5,
                    markerfacecolor=theme.of(pooling) if style == "-" else theme.background,
                    label=f"{label} {part}",
                )
        axes.margins(x=0.06, y=0.12)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.yaxis.set_major_locator(MaxNLocator(5))
        if shares:
            axes.yaxis.set_major_formatter(FuncFormatter(_percent))
    _name_x(panels[-1], theme, "Epoch")
    _legend(figure, panels[0], theme)


def _draw_confusion(metrics: Mapping[str, Any], figure: Figure, theme: Theme) -> None:
    panels = figure.subplots(1, len(POOLING_NAMES), sharey=True)
    for axes, (pooling, label) in zip(panels, POOLING_NAMES.items(), strict=True):
        counts = np.array(metrics[pooling]["confusion"])
        rows = counts.sum(axis=1, keepdims=True)
        share = counts / np.maximum(rows, 1)
        shades = LinearSegmentedColormap.from_list("", [theme.background, theme.of(pooling)])
        axes.imshow(share, cmap=shades, vmin=0, vmax=1, aspect="auto")
        _style(axes, theme, f"{label} answers")
        axes.grid(visible=False)
        axes.tick_params(length=0)
        axes.spines["bottom"].set_visible(False)
        # A line lower, since "Neutral" is wider than its cell.
        axes.set_xticks(
            range(len(SENTIMENTS)),
            [f"\n{name}" if name == "Neutral" else name for name in SENTIMENTS],
        )
        axes.set_yticks(range(len(SENTIMENTS)), SENTIMENTS, rotation=90, va="center")
        edges = np.arange(len(SENTIMENTS) + 1) - 0.5
        axes.hlines(edges, edges[0], edges[-1], color=theme.grid, linewidth=0.8)
        axes.vlines(edges, edges[0], edges[-1], color=theme.grid, linewidth=0.8)
        for row, column in np.ndindex(counts.shape):
            of_row = f"{share[row, column]:.0%}" if rows[row, 0] else "–"
            axes.text(
                column,
                row,
                f"{counts[row, column]}\n{of_row}",
                ha="center",
                va="center",
                fontsize=_POINTS,
                color=_readable_on(shades(share[row, column])),
            )
    panels[0].set_ylabel("Truth", fontsize=_POINTS, color=theme.text)


def _readable_on(colour: tuple[float, float, float, float]) -> str:
    red, green, blue, _ = colour
    return "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else "white"


def _draw_per_class_f1(metrics: Mapping[str, Any], figure: Figure, theme: Theme) -> None:
    axes = figure.subplots()
    _style(axes, theme, "F1 by sentiment")
    places = np.arange(len(SENTIMENTS))
    for side, (pooling, label) in zip((-0.2, 0.2), POOLING_NAMES.items(), strict=True):
        f1 = [metrics[pooling]["per_class"][name]["f1"] for name in SENTIMENTS]
        bars = axes.bar(places + side, f1, width=0.38, color=theme.of(pooling), label=label)
        axes.bar_label(bars, fmt="%.2f", fontsize=_POINTS, color=theme.text, padding=2)
    support = [metrics["cls"]["per_class"][name]["support"] for name in SENTIMENTS]
    axes.set_xticks(
        places, [f"{name}\n{rows} rows" for name, rows in zip(SENTIMENTS, support, strict=True)]
    )
    axes.set_ylim(0, 1.15)
    axes.set_yticks(np.linspace(0, 1, 6))
    axes.tick_params(axis="x", length=0)
    _legend(figure, axes, theme)


def _draw_reliability(
    metrics: Mapping[str, Any],
    labels: Labels,
    outputs: Mapping[str, Outputs],
    figure: Figure,
    theme: Theme,
) -> None:
    upper, lower = figure.subplots(2, sharex=True, height_ratios=[2.2, 1])
    _style(upper, theme, "Right answers by confidence")
    _style(lower, theme, "Rows (logarithmic scale)")
    least = 1 / len(SENTIMENTS)
    upper.plot([least, 1], [least, 1], color=theme.muted, linewidth=1, linestyle="--")
    confidence = []
    for pooling, label in POOLING_NAMES.items():
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
            marker=_MARKERS[pooling],
            alpha=0.85,
            label=label,
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
        axis.set_major_formatter(FuncFormatter(_percent))
    _name_x(lower, theme, "Confidence in the sentiment")
    _legend(figure, upper, theme)


def _draw_error_by_length(errors: ErrorsByLength, figure: Figure, theme: Theme) -> None:
    heights = [1.5, 1.5, 1] if errors.has_ratings else [1.5, 1]
    upper, *middle, lower = figure.subplots(len(heights), sharex=True, height_ratios=heights)
    _style(upper, theme, "Accuracy, sentiment")
    upper.yaxis.set_major_formatter(FuncFormatter(_percent))
    _draw_intervals(upper, errors.accuracy, theme)
    for axes in middle:
        _style(axes, theme, "Rating MAE, points")
        _draw_intervals(axes, errors.rating_mae, theme)
    _style(lower, theme, "Rows (narrow bars: rated)" if middle else "Rows")
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
    _legend(figure, upper, theme)


def _draw_intervals(axes: Axes, of_poolings: dict[str, NDArray[np.float64]], theme: Theme) -> None:
    for side, (pooling, label) in zip((-0.07, 0.07), POOLING_NAMES.items(), strict=True):
        if pooling not in of_poolings:
            continue
        value, low, high = of_poolings[pooling]
        axes.errorbar(
            np.arange(len(value)) + side,
            value,
            yerr=np.maximum([value - low, high - value], 0),  # rounding can turn 0 into -1e-17
            color=theme.of(pooling),
            marker=_MARKERS[pooling],
            markersize=6,
            linewidth=2,
            elinewidth=1.2,
            label=label,
        )
    axes.yaxis.set_major_locator(MaxNLocator(5))
