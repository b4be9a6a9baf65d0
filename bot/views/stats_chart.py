"""The chart of /stats: confusion matrices, the figures over time, how often the models agree."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from bot.services.statistics import Overview
from bot.texts import statistics as phrases
from bot.texts import terms
from bot.texts.locale import Locale
from classifier.evaluation.figures import POOLING_NAMES
from classifier.labels import NEAR
from classifier.reports import drawing
from classifier.reports.theme import CHAT, Theme
from db.pairs import PairCounts

_HEIGHT = 5.3  # inches
_LINES = {"cls": "-", "mean": "--"}
_AGREEMENT = ("#2f7d4f", "#9bbf8a", "#e3b7a0")
"""Same, within one, apart; the text on them is dark or light by their brightness."""


def draw_statistics(overview: Overview, locale: Locale) -> bytes:
    """A PNG image of an overview in which something was predicted."""

    def draw(figure: Figure, _: Theme) -> None:
        rows = figure.subfigures(3, 1, squeeze=False, height_ratios=(2.4, 1.7, 1.1))
        above, middle, below = rows[:, 0]
        _draw_matrices(above, overview, locale)
        _draw_trends(middle, overview, locale)
        _draw_agreement(below.add_subplot(), overview.pairs, locale)

    return drawing.draw_png(_HEIGHT, CHAT, draw)


def _draw_matrices(figure: SubFigure, overview: Overview, locale: Locale) -> None:
    counts = {pooling: np.zeros((3, 3), int) for pooling in POOLING_NAMES}
    counts |= {name: np.array(model.answers.confusion) for name, model in overview.poolings.items()}
    names = POOLING_NAMES.items()
    words = drawing.ConfusionWords(
        titles={key: locale(phrases.CHART_ANSWERS, model=name) for key, name in names},
        sentiments=tuple(locale(name) for name in phrases.CHART_SENTIMENTS),
        truth=locale(phrases.CHART_TRUTH),
        cell=lambda count, share: f"{locale.whole(count)}\n{locale.percent(share)}",
    )
    drawing.draw_confusions(figure, CHAT, counts, words)


def _draw_trends(figure: SubFigure, overview: Overview, locale: Locale) -> None:
    panels = figure.subplots(1, 2)
    for axes, measured in zip(panels, ("accuracy", "mae"), strict=True):
        _draw_trend(axes, overview, measured, locale)
    if signs := panels[0].get_legend_handles_labels()[0]:
        drawing.legend(figure, CHAT, signs)


def _draw_trend(axes: Axes, overview: Overview, measured: str, locale: Locale) -> None:
    title = locale(terms.ACCURACY if measured == "accuracy" else terms.RATING_MAE)
    drawing.style(axes, CHAT, title, grid="y")
    moments: list[datetime] = []
    for pooling, points in overview.trend.items():
        drawn = [point for point in points if getattr(point, measured) is not None]
        if not drawn:
            continue
        moments += [point.moment for point in drawn]
        axes.plot(
            [point.moment.timestamp() for point in drawn],
            [getattr(point, measured) for point in drawn],
            _LINES[pooling],
            color=CHAT.of(pooling),
            marker=drawing.MARKERS[pooling] if len(drawn) < 15 else None,
            markersize=3.5,
            linewidth=1.8,
            label=POOLING_NAMES[pooling],
        )
    if not moments:
        axes.set_xticks([])
        axes.set_yticks([])
        look: dict[str, Any] = {"ha": "center", "va": "center", "transform": axes.transAxes}
        look |= {"fontsize": CHAT.text_size, "color": CHAT.muted}
        axes.text(0.5, 0.5, locale(phrases.CHART_NO_ANSWERS), **look)
        return
    axes.yaxis.set_major_locator(MaxNLocator(4))
    written = locale.percent if measured == "accuracy" else partial(locale.decimal, places=1)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: written(value)))
    _date_ends(axes, min(moments), max(moments), overview.span.step, locale)


def _date_ends(
    axes: Axes, first: datetime, last: datetime, step: timedelta, locale: Locale
) -> None:
    """Only the ends have a date: there is no room for more."""
    shape = locale(phrases.SHORT_DATE if step >= timedelta(days=1) else phrases.SHORT_TIME)
    ends = [first] if first == last else [first, last]
    axes.set_xticks([end.timestamp() for end in ends], [end.strftime(shape) for end in ends])
    if len(ends) == 2:
        left, right = axes.get_xticklabels()
        left.set_horizontalalignment("left")
        right.set_horizontalalignment("right")


def _draw_agreement(axes: Axes, pairs: PairCounts, locale: Locale) -> None:
    drawing.style(axes, CHAT, locale(phrases.CHART_AGREEMENT))
    same, near = pairs.within(0), pairs.within(NEAR)
    bars = {
        locale(terms.SENTIMENT): (pairs.same_sentiment, 0, pairs.reviews - pairs.same_sentiment),
        locale(terms.RATING): (same, near - same, pairs.rated - near),
    }
    for place, counts in enumerate(bars.values()):
        begin = 0.0
        for count, colour in zip(counts, _AGREEMENT, strict=True):
            share = count / max(sum(counts), 1)
            axes.barh(place, share, left=begin, color=colour, height=0.72)
            if share >= 0.09:
                look: dict[str, Any] = {"ha": "center", "va": "center_baseline"}
                look |= {"fontsize": CHAT.text_size, "color": drawing.readable_on(colour)}
                axes.text(begin + share / 2, place, locale.percent(share), **look)
            begin += share
    axes.set_yticks(range(len(bars)), list(bars))
    axes.set_xticks([])
    axes.set_xlim(0, 1)
    axes.invert_yaxis()
    labels = (phrases.CHART_SAME, phrases.CHART_NEAR, phrases.CHART_DIFFER)
    named = zip(labels, _AGREEMENT, strict=True)
    signs = [Patch(color=colour, label=locale(label)) for label, colour in named]
    corner: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (-0.1, 0.0)}
    drawing.legend(axes, CHAT, signs, ncols=3, handlelength=1, **corner)
