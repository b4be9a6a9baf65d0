"""The message to the admins when the reviews have changed."""

import logging
from collections.abc import Collection
from typing import TYPE_CHECKING

from telegram import Bot
from telegram.constants import ParseMode
from telegram.error import TelegramError

from bot.services.drift import Drift, DriftWatch
from bot.services.personal import Personal
from bot.texts.drift import DriftTexts, drift_texts_for
from bot.texts.languages import texts_for
from bot.views.review_answer import FACES
from classifier.evaluation.figures import POOLING_NAMES

if TYPE_CHECKING:  # torch takes seconds to import
    from classifier.evaluation.drift import Shift

logger = logging.getLogger(__name__)


async def watch_drift(
    bot: Bot, admin_ids: Collection[int], watch: DriftWatch, personal: Personal
) -> None:
    """Look at the last week and tell the admins of new drift; to be called once a day."""
    drift = await watch.check()
    if drift is None:
        return
    has_arrived = False
    for admin_id in admin_ids:
        try:
            text = notice(drift, await personal.language(admin_id))
            await bot.send_message(admin_id, text, ParseMode.HTML)
            has_arrived = True
        except TelegramError as error:  # Telegram is away, or this admin never wrote to the bot
            logger.warning("an admin can't be told", exc_info=error, extra={"admin": admin_id})
    # A kill before this repeats the message tomorrow: better twice than never.
    if has_arrived:
        await watch.told(drift)


def notice(drift: Drift, language_code: str | None) -> str:
    """What has shifted, from what to what."""
    texts = drift_texts_for(language_code)
    reviews = texts_for(language_code).reviews(drift.reviews)
    shifts = [f"• {_shift(shift, texts)}" for shift in drift.shifts]
    begin = texts.begin.format(reviews=reviews)
    return "\n".join([texts.title, begin, *shifts, "", texts.end])


def _shift(shift: "Shift", texts: DriftTexts) -> str:
    index = f"{shift.index:.2f}".replace(".", texts.decimal_point)
    return f"{_change(shift, texts)} (PSI {index})"


def _change(shift: "Shift", texts: DriftTexts) -> str:
    if shift.name == "length":
        return texts.length.format(then=round(shift.mean_then), now=round(shift.mean_now))
    if shift.name == "unknown":
        then, now = (
            f"{100 * mean:.1f}".replace(".", texts.decimal_point)
            for mean in (shift.mean_then, shift.mean_now)
        )
        return texts.unknown.format(then=then, now=now)
    pooling, _, what = shift.name.partition("_")
    if what == "confidence":
        then, now = (str(round(100 * mean)) for mean in (shift.mean_then, shift.mean_now))
        return texts.confidence.format(model=POOLING_NAMES[pooling], then=then, now=now)
    shares = zip(FACES, shift.shares_then, shift.shares_now, strict=True)
    said = [
        texts.share.format(face=face, then=round(100 * then), now=round(100 * now))
        for face, then, now in shares
    ]
    return texts.sentiment.format(model=POOLING_NAMES[pooling], shares=", ".join(said))
