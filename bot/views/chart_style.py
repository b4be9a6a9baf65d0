"""What the charts sent to chats have in common: made for a phone, and drawn one at a time.

They are 3.5 inches wide, as the screen is, and no letter is below 9 points there. They have a
background of their own, so that they read alike in light and dark chats.
"""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from classifier.reports.theme import LIGHT

POINTS, SMALL = 10, 9
LEGEND: dict[str, Any] = {
    "fontsize": SMALL,
    "frameon": False,
    "labelcolor": LIGHT.text,
    "handlelength": 1,
}

_WIDTH = 3.5  # inches
_PIXELS_PER_INCH = 300
_one_at_a_time = threading.Lock()  # matplotlib's fonts are shared


@dataclass
class Drawing:
    figure: Figure
    png: bytes = b""  # once it is done


@contextmanager
def drawing(height: float) -> Iterator[Drawing]:
    """A figure so many inches high, without pyplot: any thread may draw it. A PNG afterwards."""
    with _one_at_a_time:
        figure = Figure(figsize=(_WIDTH, height), layout="constrained", facecolor=LIGHT.background)
        FigureCanvasAgg(figure)
        drawn = Drawing(figure)
        yield drawn
        image = io.BytesIO()
        figure.savefig(image, format="png", dpi=_PIXELS_PER_INCH)
        drawn.png = image.getvalue()


def style(axes: Axes, title: str, colour: str = LIGHT.text) -> None:
    axes.set_title(title, loc="left", fontsize=POINTS, fontweight="bold", color=colour)
    axes.set_facecolor(LIGHT.background)
    axes.tick_params(labelsize=SMALL, labelcolor=LIGHT.text, length=0)
    axes.spines[:].set_visible(False)
