"""Figures in words, for the terminal's tables and README's."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

MISSING = "–"


def number(value: float | None, digits: int = 0, unit: str = "") -> str:
    """1,234.5 and its unit, or a dash."""
    return MISSING if value is None else f"{value:,.{digits}f}{unit}"


def times(value: float | None) -> str:
    """How many times something: 9.6×."""
    return number(value, 1, "×")


def percent(value: float | None) -> str:
    return number(None if value is None else 100 * value, 0, " %")


def spread(figure: dict[str, float] | None, digits: int, *, as_percent: bool = False) -> str:
    """0.633 (0.629-0.640), or a dash; the range is left out where there is none."""
    if figure is None:
        return number(None)
    scale, unit = (100, " %") if as_percent else (1, "")
    mean = number(figure["mean"] * scale, digits, unit)
    low, high = (number(figure[end] * scale, digits) for end in ("low", "high"))
    return mean if low == high else f"{mean} ({low}-{high})"


def adapted(found: dict[str, Any]) -> str:
    """What a training's `summary` says of both poolings together: does it count the adaptation?"""
    return ", the adaptation's time included" if "ours, adapting" in found["arms"] else ""


def print_table(
    console: Console, title: str, columns: Sequence[str], lines: Sequence[Sequence[str]]
) -> None:
    """The first column is what a line is about, the others are figures."""
    table = Table(title=title, title_justify="left")
    for position, column in enumerate(columns):
        table.add_column(column, justify="right" if position else "left", no_wrap=not position)
    for line in lines:
        table.add_row(*line)
    console.print(table)
