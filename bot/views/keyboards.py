"""The buttons under the bot's messages, and what a tap on one sends back."""

import re
from dataclasses import dataclass

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.texts import conversation as phrases
from bot.texts.locale import Locale

FORGET_YES = "forget:yes"
FORGET_NO = "forget:no"

# An id of at most 18 digits: whatever a forged tap sends fits the database's integers.
_RATING = re.compile(r"r:([0-9]{1,18}):(10|[0-9])")


@dataclass(frozen=True)
class RatingTap:
    review_id: int
    rating: int


def rating_keyboard(review_id: int, chosen: int | None = None) -> InlineKeyboardMarkup:
    """The ratings 0 to 10 in two rows, the chosen one ticked."""

    def button(rating: int) -> InlineKeyboardButton:
        label = f"✓ {rating}" if rating == chosen else str(rating)
        return InlineKeyboardButton(label, callback_data=f"r:{review_id}:{rating}")

    rows = (range(6), range(6, 11))
    return InlineKeyboardMarkup([[button(rating) for rating in row] for row in rows])


def rating_tap(data: str | None) -> RatingTap | None:
    """What a tap on a rating means; None for any other tap."""
    match = _RATING.fullmatch(data or "")
    return RatingTap(int(match[1]), int(match[2])) if match else None


def forget_keyboard(locale: Locale) -> InlineKeyboardMarkup:
    """Erase everything, or don't: a row each, so that no thumb hits the wrong one."""
    yes = InlineKeyboardButton(locale(phrases.FORGET_YES), callback_data=FORGET_YES)
    no = InlineKeyboardButton(locale(phrases.FORGET_NO), callback_data=FORGET_NO)
    return InlineKeyboardMarkup.from_column([yes, no])
