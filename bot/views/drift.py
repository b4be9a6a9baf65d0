"""The message to the admins when the reviews have changed."""

from typing import TYPE_CHECKING

from bot.services.drift import Drift
from bot.texts import drift as phrases
from bot.texts.locale import Locale
from bot.texts.terms import FACES
from classifier.evaluation.figures import POOLING_NAMES

if TYPE_CHECKING:  # torch takes seconds to import
    from classifier.evaluation.drift import Shift


def notice(drift: Drift, locale: Locale) -> str:
    """What has shifted, from what to what."""
    begin = locale(phrases.BEGIN, reviews=drift.reviews)
    shifts = [
        f"• {_change(shift, locale)} (PSI {locale.decimal(shift.index)})" for shift in drift.shifts
    ]
    return "\n".join([locale(phrases.TITLE), begin, *shifts, "", locale(phrases.END)])


def _change(shift: "Shift", locale: Locale) -> str:
    if shift.name == "length":
        return locale(phrases.LENGTH, then=round(shift.mean_then), now=round(shift.mean_now))
    if shift.name == "unknown":
        then, now = (locale.decimal(100 * m, 1) for m in (shift.mean_then, shift.mean_now))
        return locale(phrases.UNKNOWN, then=then, now=now)
    pooling, _, what = shift.name.partition("_")
    if what == "confidence":
        then, now = (str(round(100 * mean)) for mean in (shift.mean_then, shift.mean_now))
        return locale(phrases.CONFIDENCE, model=POOLING_NAMES[pooling], then=then, now=now)
    shares = zip(FACES, shift.shares_then, shift.shares_now, strict=True)
    said = [
        locale(phrases.SHARE, face=face, then=round(100 * then), now=round(100 * now))
        for face, then, now in shares
    ]
    return locale(phrases.SENTIMENT, model=POOLING_NAMES[pooling], shares=", ".join(said))
