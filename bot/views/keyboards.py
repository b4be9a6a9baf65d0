"""The buttons under the bot's messages, and what a tap on one sends back."""

import re
from dataclasses import dataclass

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.texts import conversation as phrases
from bot.texts import reasons
from bot.texts.locale import Locale

FORGET_YES = "forget:yes"
FORGET_NO = "forget:no"

# An id of at most 18 digits: whatever a forged tap sends fits the database's integers.
_RATING = re.compile(r"r:([0-9]{1,18}):(10|[0-9])")
_WHY = re.compile(r"w:([0-9]{1,18})")


@dataclass(frozen=True)
class RatingTap:
    review_id: int
    rating: int


def answer_keyboard(
    review_id: int, locale: Locale, chosen: int | None = None
) -> InlineKeyboardMarkup:
    """The ratings 0 to 10 in two rows, the chosen one ticked; below them, why."""

    def button(rating: int) -> InlineKeyboardButton:
        label = f"✓ {rating}" if rating == chosen else str(rating)
        return InlineKeyboardButton(label, callback_data=f"r:{review_id}:{rating}")

    rows = [[button(rating) for rating in row] for row in (range(6), range(6, 11))]
    why = InlineKeyboardButton(locale(reasons.BUTTON), callback_data=f"w:{review_id}")
    return InlineKeyboardMarkup([*rows, [why]])


def rating_tap(data: str | None) -> RatingTap | None:
    """What a tap on a rating means; None for any other tap."""
    match = _RATING.fullmatch(data or "")
    return RatingTap(int(match[1]), int(match[2])) if match else None


def why_tap(data: str | None) -> int | None:
    """The number of the review whose reasons a tap asks for; None for any other tap."""
    match = _WHY.fullmatch(data or "")
    return int(match[1]) if match else None


def forget_keyboard(locale: Locale) -> InlineKeyboardMarkup:
    """Erase everything, or don't: a row each, so that no thumb hits the wrong one."""
    yes = InlineKeyboardButton(locale(phrases.FORGET_YES), callback_data=FORGET_YES)
    no = InlineKeyboardButton(locale(phrases.FORGET_NO), callback_data=FORGET_NO)
    return InlineKeyboardMarkup.from_column([yes, no])
