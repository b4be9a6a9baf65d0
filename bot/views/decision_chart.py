"""The chart of a gate's decision: champion against challenger, and the limits, kept or not.

A column for each pooling. In each row the champion is above and the challenger below, with their
95 % intervals where there are any; a limit is a line, and beyond it is a shade.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from bot.texts import retraining as phrases
from bot.texts.locale import Locale, Phrase
from bot.texts.terms import SENTIMENTS as SENTIMENT_NAMES
from classifier.evaluation.figures import METRICS, POOLING_NAMES
from classifier.evaluation.limits import LIMITS
from classifier.labels import SENTIMENTS
from classifier.reports.drawing import draw_png, legend, style
from classifier.reports.theme import CHAT, Theme

_HEIGHT = 5.3  # inches: chats crop what is taller
_FAILED, _BEYOND = "#b3261e", "#f3d9d6"
_APART = 0.17  # of a row, from its middle up to the champion and down to the challenger

Json = dict[str, Any]
Interval = tuple[float, float] | None


@dataclass(frozen=True)
class _Row:
    label: str
    new: float
    new_interval: Interval = None
    old: float | None = None
    old_interval: Interval = None
    check: Json | None = None  # the gate's, with its limit


@dataclass(frozen=True)
class _Panel:
    title: str
    rows: dict[str, list[_Row]]  # by pooling
    written: Callable[[float], str]
    at_most: bool = False  # what the limits are; at least otherwise


def draw_decision(decision: Json, locale: Locale) -> bytes:
    """A PNG image of a decision of the gate, one with figures of the holdout."""

    def panel(
        rows: Callable[..., Iterator[_Row]], title: str, written: Callable[[float], str]
    ) -> _Panel:
        of_pooling = {name: list(rows(decision, name, locale)) for name in POOLING_NAMES}
        return _Panel(title, of_pooling, written, rows in (_calibration, _speed))

    def points(share: float) -> str:
        return locale.signed(100 * share, 0) if round(100 * share) else "0"

    panels = [
        panel(_levels, "", locale.percent),  # its title is the poolings' names
        panel(_differences, locale(phrases.CHART_DIFFERENCES), points),
        panel(_calibration, locale(phrases.CHART_CALIBRATION), locale.decimal),
        panel(_speed, locale(phrases.CHART_SPEED), partial(locale.decimal, places=1)),
    ]
    heights = [0.6 + sum(map(_height, each.rows["cls"])) for each in panels]

    def draw(figure: Figure, _: Theme) -> None:
        grid = figure.subplots(len(panels), 2, sharex="row", sharey="row", height_ratios=heights)
        for axes_of_row, each in zip(grid, panels, strict=True):
            for axes, pooling in zip(axes_of_row, POOLING_NAMES, strict=True):
                _draw(axes, each, pooling)
        for axes, (pooling, name) in zip(grid[0], POOLING_NAMES.items(), strict=True):
            style(axes, CHAT, name, grid="x", colour=CHAT.of(pooling))
        narrow = {"handlelength": 1, "columnspacing": 0.8, "handletextpad": 0.2}
        legend(figure, CHAT, _signs(locale), ncols=4, **narrow)

    return draw_png(_HEIGHT, CHAT, draw)


def _height(row: _Row) -> float:
    return 1.3 if "\n" in row.label else 1.0


def _levels(decision: Json, pooling: str, locale: Locale) -> Iterator[_Row]:
    levels = (
        ("holdout", "accuracy", locale(phrases.CHART_ACCURACY)),
        ("holdout", "macro_f1", METRICS["macro_f1"].name),
        ("feedback", "accuracy", locale(phrases.CHART_RATED)),
    )
    for rows, name, label in levels:
        if figures := decision["figures"].get(rows):
            old, new = figures["champion"][pooling], figures["challenger"][pooling]
            of_old, of_new = old["intervals"].get(name), new["intervals"].get(name)
            yield _Row(label, new[name], of_new, old[name], of_old)


def _differences(decision: Json, pooling: str, locale: Locale) -> Iterator[_Row]:
    measured = {
        "macro_f1": ("holdout", "macro_f1"),
        "in_short": ("in_short", "macro_f1"),
        "feedback": ("feedback", "accuracy"),
    }
    labels = {
        "macro_f1": METRICS["macro_f1"].name,
        "in_short": locale(phrases.CHART_IN_SHORT, tokens=LIMITS.in_short),
        "feedback": locale(phrases.CHART_RATED),
    }
    for check in _checks(decision, pooling):
        if check["name"] == "recall":
            index = SENTIMENTS.index(check["sentiment"])
            label = locale(phrases.CHART_RECALL, sentiment=locale(SENTIMENT_NAMES[index]))
            yield _Row(label, check["value"], check=check)
        elif check["name"] in measured:
            rows, name = measured[check["name"]]
            found = decision["figures"][rows]["comparison"][pooling]["differences"][name]
            interval = found["low"], found["high"]
            yield _Row(labels[check["name"]], found["difference"], interval, check=check)


def _calibration(decision: Json, pooling: str, *_: object) -> Iterator[_Row]:
    figures = decision["figures"]["holdout"]
    old, new = figures["champion"][pooling], figures["challenger"][pooling]
    for check in _checks(decision, pooling):
        if check["name"] == "calibration":
            label, of_new, of_old = METRICS["ece"].name, new["intervals"], old["intervals"]
            yield _Row(label, new["ece"], of_new.get("ece"), old["ece"], of_old.get("ece"), check)


def _speed(decision: Json, pooling: str, locale: Locale) -> Iterator[_Row]:
    for check in _checks(decision, pooling):
        if check["name"] == "speed":
            yield _Row(locale(phrases.CHART_TIMES), check["value"], old=1.0, check=check)


def _checks(decision: Json, pooling: str) -> list[Json]:
    return [check for check in decision["checks"] if check["pooling"] == pooling]


def _draw(axes: Axes, panel: _Panel, pooling: str) -> None:
    is_left = pooling == next(iter(POOLING_NAMES))
    style(axes, CHAT, panel.title if is_left else "", grid="x")
    ends = _ends(panel)
    for place, row in enumerate(panel.rows[pooling]):
        failed = row.check is not None and not row.check["passed"]
        if row.check is not None:
            _draw_limit(axes, place, row.check["limit"], ends[panel.at_most])
        if row.old is not None:
            _draw_figure(axes, place - _APART, row.old, row.old_interval, CHAT.muted, hollow=True)
        lower = place if row.old is None else place + _APART
        colour = _FAILED if failed else CHAT.of(pooling)
        _draw_figure(axes, lower, row.new, row.new_interval, colour)
    labels = [row.label for row in panel.rows[pooling]]
    axes.set_yticks(range(len(labels)), labels)
    axes.tick_params(labelleft=is_left)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.set_xlim(ends)
    axes.xaxis.set_major_locator(MaxNLocator(3))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: panel.written(value)))


def _ends(panel: _Panel) -> tuple[float, float]:
    """Of the axis, which both poolings share: room for all figures, and for a shade."""
    found: list[float] = []
    for row in (row for rows in panel.rows.values() for row in rows):
        found += [row.new, *(row.new_interval or ()), *(row.old_interval or ())]
        found += [] if row.old is None else [row.old]
        found += [] if row.check is None else [row.check["limit"]]
    room = 0.12 * (max(found) - min(found) or 1)
    return min(found) - room, max(found) + room


def _draw_figure(
    axes: Axes, place: float, value: float, interval: Interval, colour: str, hollow: bool = False
) -> None:
    if interval is not None:
        axes.plot(interval, (place, place), color=colour, linewidth=1.8, solid_capstyle="butt")
    filling = CHAT.background if hollow else colour
    axes.plot(value, place, "o", markersize=5, color=colour, markerfacecolor=filling)


def _draw_limit(axes: Axes, place: float, limit: float, end: float) -> None:
    axes.fill_betweenx((place - 0.42, place + 0.42), limit, end, color=_BEYOND, linewidth=0)
    axes.plot((limit, limit), (place - 0.42, place + 0.42), color=CHAT.text, linewidth=1.4)


def _signs(locale: Locale) -> list[Line2D]:
    dot: Json = {"marker": "o", "markersize": 5}
    looks: dict[Phrase, Json] = {
        phrases.CHART_OLD: {"color": CHAT.muted, "mfc": CHAT.background, **dot},
        phrases.CHART_NEW: {"color": CHAT.text, **dot},
        phrases.CHART_FAILED: {"color": _FAILED, **dot},
        phrases.CHART_LIMIT: {"color": CHAT.text, "marker": "|", "markersize": 9},
    }
    named = [(locale(label), look) for label, look in looks.items()]
    return [Line2D([], [], linewidth=0, label=label, **look) for label, look in named]
