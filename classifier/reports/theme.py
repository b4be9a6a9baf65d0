"""The colours of reports and charts, for light and for dark screens.

Blue and orange tell the poolings apart for colour-blind readers too (Okabe and Ito, "Color
Universal Design", 2008, darkened for white paper).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Theme:
    """The colours of a report, of its page as of its plots."""

    background: str
    text: str
    muted: str
    grid: str
    cls: str
    mean: str

    def of(self, pooling: str) -> str:
        """The pooling's colour, the same in every plot."""
        return {"cls": self.cls, "mean": self.mean}[pooling]


LIGHT = Theme("#ffffff", "#1b1f24", "#57606a", "#d3d9df", cls="#0068a8", mean="#c24e00")
DARK = Theme("#14171c", "#e6e9ee", "#a3adb8", "#3a424d", cls="#5bb4ea", mean="#f5a03c")
