"""The chart of /stats: confusion matrices, the figures over time, how often the models agree."""

from collections.abc import Callable
from datetime import datetime, timedelta

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import SubFigure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from bot.services.statistics import Overview
from bot.texts.statistics import StatisticsTexts
from bot.views.chart_style import LEGEND, SMALL, drawing, style
from bot.views.numbers import Numbers
from classifier.evaluation.figures import POOLING_NAMES
from classifier.reports.theme import LIGHT
from db.pairs import PairStatistics
from db.statistics import PoolingStatistics

_HEIGHT = 5.3  # inches
_MARKERS = {"cls": "o", "mean": "s"}
_LINES = {"cls": "-", "mean": "--"}
_AGREEMENT = ("#2f7d4f", "#9bbf8a", "#e3b7a0")
"""Same, within one, apart; the text on them is dark or light by their brightness."""


def draw_statistics(overview: Overview, said: StatisticsTexts) -> bytes:
    """A PNG image of an overview in which something was predicted."""
    numbers = Numbers(said)
    with drawing(_HEIGHT) as drawn:
        rows = drawn.figure.subfigures(3, 1, squeeze=False, height_ratios=(2.15, 1.85, 1.15))
        above, middle, below = rows[:, 0]
        _draw_matrices(above, overview, numbers)
        _draw_trends(middle, overview, numbers)
        _draw_agreement(below.add_subplot(), overview.statistics.pair, numbers)
    return drawn.png


def _draw_matrices(figure: SubFigure, overview: Overview, numbers: Numbers) -> None:
    said = numbers.texts
    names = (said.chart_bad, said.chart_neutral, said.chart_good)
    panels = figure.subplots(1, 2, sharey=True)
    for axes, pooling in zip(panels, POOLING_NAMES, strict=True):
        _draw_confusion(axes, overview.statistics.poolings.get(pooling), pooling, numbers)
        axes.set_xticks(range(3), names)
    panels[0].set_yticks(range(3), names, rotation=90, va="center")
    panels[0].set_ylabel(said.chart_truth, fontsize=SMALL, color=LIGHT.muted)


def _draw_confusion(
    axes: Axes,
    model: PoolingStatistics | None,
    pooling: str,
    numbers: Numbers,
) -> None:
    counts = np.zeros((3, 3), int) if model is None else np.array(model.answers.confusion)
    rows = counts.sum(axis=1, keepdims=True)
    shares = counts / np.maximum(rows, 1)
    colour = LIGHT.of(pooling)
    shades = LinearSegmentedColormap.from_list("", [LIGHT.background, colour])
    axes.imshow(shares, cmap=shades, vmin=0, vmax=1, aspect="auto")
    style(axes, numbers.texts.chart_answers.format(model=POOLING_NAMES[pooling]), colour)
    edges = np.arange(4) - 0.5
    axes.hlines(edges, -0.5, 2.5, color=LIGHT.grid, linewidth=0.8)
    axes.vlines(edges, -0.5, 2.5, color=LIGHT.grid, linewidth=0.8)
    for row, column in np.ndindex(3, 3):
        share = shares[row, column]
        axes.text(
            column,
            row,
            f"{numbers.whole(int(counts[row, column]))}\n"
            + numbers.percent(share if rows[row, 0] else None),
            ha="center",
            va="center",
            fontsize=SMALL,
            color=_readable_on(shades(share)),
        )


def _draw_trends(figure: SubFigure, overview: Overview, numbers: Numbers) -> None:
    panels = figure.subplots(1, 2)
    for axes, measured in zip(panels, ("accuracy", "mae"), strict=True):
        _draw_trend(axes, overview, measured, numbers)
    handles, labels = panels[0].get_legend_handles_labels()
    if handles:
        figure.legend(
            handles,
            labels,
            loc="outside upper left",
            ncols=2,
            fontsize=SMALL,
            frameon=False,
            labelcolor=LIGHT.text,
        )


def _draw_trend(axes: Axes, overview: Overview, measured: str, numbers: Numbers) -> None:
    said = numbers.texts
    style(axes, said.chart_accuracy if measured == "accuracy" else said.chart_mae)
    axes.grid(axis="y", color=LIGHT.grid, linewidth=0.8)
    axes.set_axisbelow(True)
    moments: list[datetime] = []
    for pooling, points in overview.trend.items():
        drawn = [(point.moment, getattr(point, measured)) for point in points]
        drawn = [(moment, value) for moment, value in drawn if value is not None]
        if not drawn:
            continue
        moments += [moment for moment, _ in drawn]
        axes.plot(
            [moment.timestamp() for moment, _ in drawn],
            [value for _, value in drawn],
            _LINES[pooling],
            color=LIGHT.of(pooling),
            marker=_MARKERS[pooling] if len(drawn) < 15 else None,
            markersize=3.5,
            linewidth=1.8,
            label=POOLING_NAMES[pooling],
        )
    if not moments:
        axes.set_xticks([])
        axes.set_yticks([])
        axes.text(
            0.5,
            0.5,
            said.chart_no_answers,
            ha="center",
            va="center",
            transform=axes.transAxes,
            fontsize=SMALL,
            color=LIGHT.muted,
        )
        return
    axes.yaxis.set_major_locator(MaxNLocator(4))
    written = numbers.percent if measured == "accuracy" else _decimal(numbers)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: written(value)))
    _date_ends(axes, min(moments), max(moments), overview.span.step, said)


def _date_ends(
    axes: Axes, first: datetime, last: datetime, step: timedelta, said: StatisticsTexts
) -> None:
    """Only the ends have a date: there is no room for more."""
    shape = said.short_date if step >= timedelta(days=1) else said.short_time
    ends = [first] if first == last else [first, last]
    axes.set_xticks([end.timestamp() for end in ends], [end.strftime(shape) for end in ends])
    if len(ends) == 2:
        left, right = axes.get_xticklabels()
        left.set_horizontalalignment("left")
        right.set_horizontalalignment("right")


def _draw_agreement(axes: Axes, pair: PairStatistics, numbers: Numbers) -> None:
    said = numbers.texts
    style(axes, said.chart_agreement)
    bars = {
        said.chart_sentiment: (pair.same_sentiment, 0, pair.reviews - pair.same_sentiment),
        said.chart_rating: (
            pair.same_rating,
            pair.within_one - pair.same_rating,
            pair.rated - pair.within_one,
        ),
    }
    for place, counts in enumerate(bars.values()):
        begin = 0.0
        for count, colour in zip(counts, _AGREEMENT, strict=True):
            share = count / max(sum(counts), 1)
            axes.barh(place, share, left=begin, color=colour, height=0.72)
            if share >= 0.09:
                axes.text(
                    begin + share / 2,
                    place,
                    numbers.percent(share),
                    ha="center",
                    va="center_baseline",
                    fontsize=SMALL,
                    color=_readable_on(colour),
                )
            begin += share
    axes.set_yticks(range(len(bars)), list(bars))
    axes.set_xticks([])
    axes.set_xlim(0, 1)
    axes.invert_yaxis()
    legend = zip((said.chart_same, said.chart_near, said.chart_differ), _AGREEMENT, strict=True)
    for label, colour in legend:
        axes.bar(0, 0, color=colour, label=label)
    axes.legend(
        loc="upper left",
        bbox_to_anchor=(-0.1, 0.0),
        ncols=3,
        columnspacing=1.2,
        **LEGEND,
    )


def _decimal(numbers: Numbers) -> Callable[[float], str]:
    return lambda value: numbers.decimal(value, 1)


def _readable_on(colour: str | tuple[float, float, float, float]) -> str:
    red, green, blue = to_rgb(colour)
    return "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else "white"
