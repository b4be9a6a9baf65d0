"""Figures that may be unknown: how they compare, and how tables write them."""


def ratio(value: float | None, to: float | None) -> float | None:
    """How many times `to` the value is, unless either is unknown."""
    return value / to if value is not None and to else None


def number(value: float | None, digits: int = 0, unit: str = "") -> str:
    """1,234.5 and its unit, or a dash."""
    return "–" if value is None else f"{value:,.{digits}f}{unit}"


def times(value: float | None) -> str:
    """9.6×, or a dash."""
    return number(value, 1, "×")


def percent(value: float | None, digits: int = 0) -> str:
    """12 % for 0.12, or a dash."""
    return number(None if value is None else 100 * value, digits, " %")


def spread(figure: dict[str, float] | None, digits: int, *, as_percent: bool = False) -> str:
    """0.633 (0.629-0.640), or a dash; without the range where all seeds agree."""
    if figure is None:
        return number(None)
    scale, unit = (100, " %") if as_percent else (1, "")
    mean = number(figure["mean"] * scale, digits, unit)
    low, high = (number(figure[end] * scale, digits) for end in ("low", "high"))
    return mean if low == high else f"{mean} ({low}-{high})"
