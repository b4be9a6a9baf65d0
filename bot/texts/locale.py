"""A phrase in both languages, and the locale that puts one into words for a reader."""

import string
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

_NOTHING = "–"
_MINUS = "−"


@dataclass(frozen=True)
class Phrase:
    """What the bot says, in Russian and in English, with the same placeholders in both.

    `{reviews}` is replaced by a value, whole numbers with a blank between thousands;
    `{reviews:отзыв|отзыва|отзывов}` by a number and the form of the noun that goes with it.
    Messages are HTML as Telegram reads it. Toasts (`TOAST_…`), buttons, menus, charts and pages
    are plain text.
    """

    ru: str
    en: str

    def __post_init__(self) -> None:
        # No line begins with a dash: the blank before one doesn't break.
        object.__setattr__(self, "ru", self.ru.replace(" —", "\u00a0—"))


@dataclass(frozen=True)
class Locale(string.Formatter):
    """The language of a reader: how phrases, numbers and dates are written in it."""

    code: Literal["ru", "en"]
    decimal_point: str
    percent_sign: str  # with the blank before it, if any
    date_format: str  # as strftime takes it
    form_of: Callable[[int], int]  # which of a noun's forms goes with a number

    def __call__(self, phrase: Phrase, **values: object) -> str:
        """The phrase in this language, with the values in its placeholders."""
        text: str = getattr(phrase, self.code)
        return self.vformat(text, (), values)

    def format_field(self, value: Any, format_spec: str) -> str:
        if not isinstance(value, int):
            return str(super().format_field(value, format_spec))
        written = self.whole(value)
        noun_forms = format_spec.split("|")
        return f"{written} {noun_forms[self.form_of(value)]}" if format_spec else written

    def whole(self, number: int) -> str:
        return f"{number:,}".replace(",", "\u00a0")

    def decimal(self, number: float | None, places: int = 2) -> str:
        return _NOTHING if number is None else self._localized(f"{number:.{places}f}")

    def percent(self, share: float | None, places: int = 0) -> str:
        if share is None:
            return _NOTHING
        return f"{self.decimal(100 * share, places)}{self.percent_sign}"

    def confidence(self, share: float) -> str:
        """How sure a model is of something; 1 to 99 %, for no model is certain."""
        return self.percent(min(max(share, 0.01), 0.99))

    def signed(self, number: float, places: int = 2) -> str:
        """With its sign: a difference."""
        return self._localized(f"{round(number, places) + 0.0:+.{places}f}".replace("-", _MINUS))

    def points(self, difference: float) -> str:
        """A difference of shares, in percentage points."""
        return self.signed(100 * difference, 1)

    def p_value(self, p: float) -> str:
        """With its relation: "= 0.042"."""
        return f"< {self.decimal(0.001, 3)}" if p < 0.001 else f"= {self.decimal(p, 3)}"

    def date(self, moment: datetime) -> str:
        return moment.strftime(self.date_format)

    def moment(self, moment: datetime) -> str:
        """The date and the time of day."""
        return f"{self.date(moment)}, {moment:%H:%M}"

    def _localized(self, number: str) -> str:
        return number.replace(".", self.decimal_point)


def _russian_form(number: int) -> int:
    """1 отзыв, 2 отзыва, 5 отзывов; 21 отзыв, 11 отзывов."""
    if number % 100 in range(11, 15) or number % 10 not in range(1, 5):
        return 2
    return 0 if number % 10 == 1 else 1


RUSSIAN = Locale("ru", ",", "\u00a0%", "%d.%m.%Y", _russian_form)
ENGLISH = Locale("en", ".", "%", "%d %b %Y", lambda number: int(number != 1))


def locale_for(language_code: str | None) -> Locale:
    """English for someone whose Telegram speaks English, Russian for everyone else."""
    return ENGLISH if (language_code or "").lower().startswith("en") else RUSSIAN
