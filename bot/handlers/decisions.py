"""A decision of the gate, sent to an admin: in words, and as a chart."""

import asyncio

from telegram import Bot
from telegram.constants import ParseMode

from bot.texts.languages import texts_for
from bot.texts.retraining import retraining_texts_for
from bot.texts.statistics import statistics_texts_for
from bot.views.numbers import Numbers
from bot.views.retraining import is_drawable
from db.models import TrainingRun


async def send_decision(
    bot: Bot, chat_id: int, run: TrainingRun, text: str, language: str | None
) -> None:
    """Send the text, and the chart of the run if there is anything to draw."""
    await bot.send_message(chat_id, text, ParseMode.HTML)
    if not is_drawable(run):
        return
    assert run.figures is not None
    chart = await asyncio.to_thread(_draw, run.figures, language)
    caption = retraining_texts_for(language).chart_caption.format(**_versions(run.figures))
    await bot.send_photo(chat_id, chart, caption)


def _versions(decision: dict[str, object]) -> dict[str, object]:
    return {name: decision[name] for name in ("champion", "challenger")}


def _draw(decision: dict[str, object], language: str | None) -> bytes:
    from bot.views.decision_chart import draw_decision  # matplotlib takes a second to import

    numbers = Numbers(statistics_texts_for(language))
    return draw_decision(decision, texts_for(language), retraining_texts_for(language), numbers)
