"""/stats: which model is better on live reviews, in figures and in a chart."""

import asyncio

from telegram import Update
from telegram.ext import ContextTypes

from bot.handlers.incoming import locale_of, message_of
from bot.handlers.replying import send_chart
from bot.services.periods import parse_span
from bot.services.services import Services
from bot.services.statistics import Overview
from bot.texts import terms
from bot.texts.locale import Locale
from bot.views.stats import chart_caption, stats_message


class Stats:
    def __init__(self, services: Services) -> None:
        self._statistics = services.statistics

    async def command(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        message, _user = message_of(update)
        locale = locale_of(update)
        span = parse_span(context.args or [])
        if span is None:
            await message.reply_html(locale(terms.BAD_SPAN, command="/stats"))
            return
        overview = await self._statistics.overview(span)
        await message.reply_html(stats_message(overview, locale))
        if overview.poolings:
            chart = await asyncio.to_thread(_draw, overview, locale)
            caption = chart_caption(span, locale)
            await send_chart(lambda: message.reply_photo(chart, caption))


def _draw(overview: Overview, locale: Locale) -> bytes:
    from bot.views.stats_chart import draw_statistics  # matplotlib takes a second to import

    return draw_statistics(overview, locale)
