"""What the admins are told: how a retraining ended, a decision of the gate, drift."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from html import escape
from typing import Any

from telegram import Bot
from telegram.constants import ParseMode
from telegram.error import TelegramError

from bot.handlers.replying import send_chart
from bot.services.drift import DriftWatch
from bot.services.personal import Personal
from bot.services.services import Services
from bot.texts import backups
from bot.texts.locale import Locale, locale_for
from bot.texts.retraining import CHART_CAPTION
from bot.texts.versions import CHAMPION_NOT_TAKEN, NO_VERSION_TAKEN
from bot.views.drift import notice
from bot.views.retraining import is_drawable
from db.address import DatabaseError
from db.models import TrainingRun

logger = logging.getLogger(__name__)


async def tell_admins(admin_ids: Collection[int], tell: Callable[[int], Awaitable[None]]) -> bool:
    """Tell each of them; whether anyone could be reached."""
    has_arrived = False
    for admin_id in admin_ids:
        try:
            await tell(admin_id)
            has_arrived = True
        except TelegramError as error:  # Telegram is away, or this admin never wrote to the bot
            logger.warning("an admin can't be told", exc_info=error, extra={"admin": admin_id})
    return has_arrived


async def watch_drift(
    bot: Bot, admin_ids: Collection[int], watch: DriftWatch, personal: Personal
) -> None:
    """Look at the last week and tell the admins of new drift; to be called once a day."""
    drift = await watch.check()
    if drift is None:
        return

    async def tell(admin_id: int) -> None:
        locale = locale_for(await personal.language(admin_id))
        await bot.send_message(admin_id, notice(drift, locale), ParseMode.HTML)

    # A kill before `told` repeats the message tomorrow: better twice than never.
    if await tell_admins(admin_ids, tell):
        await watch.told(drift)


async def back_up(bot: Bot, admin_ids: Collection[int], services: Services) -> None:
    """Back the database up, and tell the admins if that fails."""
    try:
        await services.backing_up.make()
        return
    except DatabaseError as error:
        logger.error("no backup was made", extra={"error": str(error)})
        reason = escape(str(error))
    age = await asyncio.to_thread(services.backing_up.age)

    async def tell(admin_id: int) -> None:
        locale = locale_for(await services.personal.language(admin_id))
        text = locale(backups.FAILED_WITHOUT_ANY, reason=reason)
        if age is not None:
            text = locale(backups.FAILED, reason=reason, hours=round(age / 3600))
        await bot.send_message(admin_id, text, ParseMode.HTML)

    await tell_admins(admin_ids, tell)


@dataclass(frozen=True)
class ChampionNotice:
    """That this process answers with another version than the champion."""

    bot: Bot
    admin_ids: Collection[int]
    services: Services
    process: str

    async def tell(self, trouble: str) -> bool:
        version = self.services.versions.live.version
        facts = {"process": self.process, "version": version, "reason": trouble}
        shown = {name: escape(value) for name, value in facts.items()}

        async def tell(admin_id: int) -> None:
            locale = locale_for(await self.services.personal.language(admin_id))
            text = locale(CHAMPION_NOT_TAKEN if version else NO_VERSION_TAKEN, **shown)
            await self.bot.send_message(admin_id, text, ParseMode.HTML)

        return await tell_admins(self.admin_ids, tell)


async def send_decision(
    bot: Bot, place: dict[str, Any], run: TrainingRun, text: str, locale: Locale
) -> None:
    """Send the text, and the chart of the run if there is anything to draw."""
    await bot.send_message(text=text, parse_mode=ParseMode.HTML, **place)
    if not is_drawable(run):
        return
    assert run.figures is not None
    chart = await asyncio.to_thread(_draw, run.figures, locale)
    versions = {name: run.figures[name] for name in ("champion", "challenger")}
    caption = locale(CHART_CAPTION, **versions)
    await send_chart(lambda: bot.send_photo(photo=chart, caption=caption, **place))


def _draw(decision: dict[str, object], locale: Locale) -> bytes:
    from bot.views.decision_chart import draw_decision  # matplotlib takes a second to import

    return draw_decision(decision, locale)
