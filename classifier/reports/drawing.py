"""How the plots of reports and the charts sent to chats are drawn: in one style, for a phone.

They are 3.5 inches or 336 CSS pixels wide: what a phone of 360 pixels shows, less its margins. No
letter is below 11 points there, in chats 9. Figures are made without pyplot, so nothing global is
touched and any thread may draw.
"""

import io
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure, FigureBase
from numpy.typing import NDArray

from classifier.reports.theme import Theme

WIDTH = 3.5  # inches
MARKERS = {"cls": "o", "mean": "s"}  # the poolings', so that colour isn't all that tells them apart
_PIXELS_PER_INCH = 300
_one_at_a_time = threading.Lock()  # matplotlib's fonts are shared


def draw_png(height: float, theme: Theme, draw: Callable[[Figure, Theme], None]) -> bytes:
    """A PNG image so many inches high of what `draw` puts into the figure."""
    with _one_at_a_time:
        figure = Figure(figsize=(WIDTH, height), layout="constrained", facecolor=theme.background)
        draw(figure, theme)
        image = io.BytesIO()
        figure.savefig(image, format="png", dpi=_PIXELS_PER_INCH, metadata={"Software": None})
        return image.getvalue()


def style(
    axes: Axes,
    theme: Theme,
    title: str,
    *,
    grid: Literal["x", "y"] | None = None,
    colour: str | None = None,
) -> None:
    """Background, letters, and the title in a colour; `grid` is the axis whose ticks have lines."""
    axes.set_title(
        title, loc="left", fontsize=theme.title_size, fontweight="bold", color=colour or theme.text
    )
    axes.set_facecolor(theme.background)
    axes.tick_params(labelsize=theme.text_size, labelcolor=theme.text, length=0)
    axes.spines[:].set_visible(False)
    axes.set_axisbelow(True)
    if grid is not None:
        axes.grid(axis=grid, color=theme.grid, linewidth=0.8)


def legend(owner: FigureBase | Axes, theme: Theme, signs: list[Any], **options: Any) -> None:
    """What the signs stand for, which are artists with labels: above the figure by default."""
    usual: dict[str, Any] = {
        "loc": "outside upper left",
        "ncols": 2,
        "fontsize": theme.text_size,
        "labelcolor": theme.text,
        "frameon": False,
        "columnspacing": 1.2,
    }
    owner.legend(handles=signs, **(usual | options))


def readable_on(colour: str | tuple[float, float, float, float]) -> str:
    """Black or white, whichever can be read on the colour."""
    red, green, blue = to_rgb(colour)
    return "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else "white"


@dataclass(frozen=True)
class ConfusionWords:
    """What is written on confusion matrices."""

    titles: Mapping[str, str]  # by pooling
    sentiments: Sequence[str]
    truth: str  # what the rows are
    cell: Callable[[int, float | None], str]  # of a count and its share of the row, None if empty


def draw_confusions(
    figure: FigureBase, theme: Theme, counts: Mapping[str, NDArray[np.int64]], words: ConfusionWords
) -> None:
    """Each pooling's counts [truth, answer], beside each other; the shade is the share of a row."""
    panels = figure.subplots(1, len(counts), sharey=True)
    places = range(len(words.sentiments))
    for axes, (pooling, matrix) in zip(panels, counts.items(), strict=True):
        style(axes, theme, words.titles[pooling], colour=theme.of(pooling))
        _draw_confusion(axes, theme, matrix, theme.of(pooling), words.cell)
        first, middle, last = words.sentiments
        axes.set_xticks(places, [first, f"\n{middle}", last])  # "Neutral" is wider than its cell
    panels[0].set_yticks(places, words.sentiments, rotation=90, va="center")
    panels[0].set_ylabel(words.truth, fontsize=theme.text_size, color=theme.muted)


def _draw_confusion(
    axes: Axes,
    theme: Theme,
    counts: NDArray[np.int64],
    colour: str,
    cell: Callable[[int, float | None], str],
) -> None:
    rows = counts.sum(axis=1, keepdims=True)
    shares = counts / np.maximum(rows, 1)
    shades = LinearSegmentedColormap.from_list("", [theme.background, colour])
    axes.imshow(shares, cmap=shades, vmin=0, vmax=1, aspect="auto")
    edges = np.arange(len(counts) + 1) - 0.5
    axes.hlines(edges, edges[0], edges[-1], color=theme.grid, linewidth=0.8)
    axes.vlines(edges, edges[0], edges[-1], color=theme.grid, linewidth=0.8)
    for row, column in np.ndindex(counts.shape):
        share = shares[row, column]
        axes.text(
            column,
            row,
            cell(int(counts[row, column]), share if rows[row, 0] else None),
            ha="center",
            va="center",
            fontsize=theme.text_size,
            color=readable_on(shades(share)),
        )
