"""Figures as a reader of the language writes them."""

from dataclasses import dataclass

from bot.texts.statistics import StatisticsTexts

_NOTHING = "–"
_MINUS = "−"


@dataclass(frozen=True)
class Numbers:
    texts: StatisticsTexts

    def whole(self, number: int) -> str:
        return f"{number:,}".replace(",", "\u00a0")

    def decimal(self, number: float | None, places: int = 2) -> str:
        return _NOTHING if number is None else self._written(f"{number:.{places}f}")

    def percent(self, share: float | None, places: int = 0) -> str:
        if share is None:
            return _NOTHING
        return self.texts.percent.format(number=self.decimal(100 * share, places))

    def signed(self, number: float, places: int = 2) -> str:
        """With its sign: a difference."""
        return self._written(f"{number:+.{places}f}".replace("-", _MINUS))

    def points(self, difference: float) -> str:
        """A difference of shares, in percentage points."""
        return self.signed(100 * difference, 1)

    def p(self, p: float) -> str:
        """With its sign: "= 0.042"."""
        return f"< {self.decimal(0.001, 3)}" if p < 0.001 else f"= {self.decimal(p, 3)}"

    def _written(self, number: str) -> str:
        return number.replace(".", self.texts.decimal)
