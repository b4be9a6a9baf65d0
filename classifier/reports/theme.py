"""The colours of reports and charts, for light and for dark screens, and the sizes of letters.

Blue and orange tell the poolings apart for colour-blind readers too (Okabe and Ito, "Color
Universal Design", 2008, darkened for white paper).
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Theme:
    """The colours of a page and its plots; sizes are in points."""

    background: str
    text: str
    muted: str
    grid: str
    cls: str
    mean: str
    cls_bar: str  # the colour of bars that text stands on, as is the mean's
    mean_bar: str
    title_size: int = 11
    text_size: int = 11

    def of(self, pooling: str) -> str:
        """The pooling's colour, the same in every plot."""
        return {"cls": self.cls, "mean": self.mean}[pooling]


LIGHT = Theme(
    background="#ffffff",
    text="#1b1f24",
    muted="#57606a",
    grid="#d3d9df",
    cls="#0068a8",
    mean="#c24e00",
    cls_bar="#cfe4f2",
    mean_bar="#f9dfcc",
)
DARK = Theme(
    background="#14171c",
    text="#e6e9ee",
    muted="#a3adb8",
    grid="#3a424d",
    cls="#5bb4ea",
    mean="#f5a03c",
    cls_bar="#173f58",
    mean_bar="#5a3609",
)
CHAT = replace(LIGHT, title_size=10, text_size=9)
"""Charts sent to chats: with a background of their own they read alike in light and dark ones."""
