"""/stats: which model is better on live reviews, in figures and in a chart."""

import asyncio

from telegram import Update
from telegram.ext import ContextTypes

from bot.handlers.asking import message_of
from bot.services.periods import parse_span
from bot.services.services import Services
from bot.services.statistics import Overview
from bot.texts.languages import texts_for
from bot.texts.statistics import StatisticsTexts, statistics_texts_for
from bot.views.stats import stats_message


class Stats:
    def __init__(self, services: Services) -> None:
        self._statistics = services.statistics

    async def command(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        message, user = message_of(update)
        said = statistics_texts_for(user.language_code)
        span = parse_span(context.args or [])
        if span is None:
            await message.reply_html(said.bad_span)
            return
        overview = await self._statistics.overview(span)
        text = stats_message(overview, texts_for(user.language_code), said)
        await message.reply_html(text)
        if overview.poolings:
            chart = await asyncio.to_thread(_draw, overview, said)
            await message.reply_photo(chart, said.chart_caption(overview.span.name))


def _draw(overview: Overview, said: StatisticsTexts) -> bytes:
    from bot.views.stats_chart import draw_statistics  # matplotlib takes a second to import

    return draw_statistics(overview, said)
