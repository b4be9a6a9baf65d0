"""/errors: where the models err or disagree most, page by page in the chat and as files."""

import asyncio

from telegram import CallbackQuery, InputFile, Update
from telegram.ext import ContextTypes

from bot.handlers.incoming import language_of, locale_of, message_of
from bot.handlers.replying import (
    from_disk,
    place_of_tap,
    send_file,
    show,
    tell_beside,
    toast,
)
from bot.services.error_analysis import TooLarge
from bot.services.periods import Span, parse_span
from bot.services.services import Services
from bot.texts import error_analysis as phrases
from bot.texts import terms
from bot.texts.conversation import TOAST_OLD_BUTTON
from bot.texts.locale import Locale
from bot.views.error_analysis import AnalysisTap, analysis_keyboard, analysis_message, analysis_tap
from bot.views.error_page import errors_page
from db.hard_reviews import Order


class ErrorAnalysisCommand:
    def __init__(self, services: Services) -> None:
        self._analysis = services.error_analysis
        self._explaining = services.explaining
        self._admin_log = services.admin_log
        self._turns = services.turns
        self._making = False

    async def command(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        message, _user = message_of(update)
        locale = locale_of(update)
        span = parse_span(context.args or [])
        if span is None:
            await message.reply_html(locale(terms.BAD_SPAN, command="/errors"))
            return
        page = await self._analysis.page(Order.WORST, span, 0)
        keyboard = analysis_keyboard(page, locale)
        await message.reply_html(analysis_message(page, locale), reply_markup=keyboard)

    async def tapped(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        query = update.callback_query
        assert query is not None
        locale = locale_of(update)
        tap = analysis_tap(query.data or "")
        if tap is None:
            await toast(query, locale(TOAST_OLD_BUTTON))
        elif tap.order is None:
            await self._file(query, tap, locale)
        else:
            await self._turn(query, tap.order, tap, locale)

    async def _turn(
        self, query: CallbackQuery, order: Order, tap: AnalysisTap, locale: Locale
    ) -> None:
        """Show another page. Taps wait for each other, so that the last of quick ones wins."""
        if query.message is None:
            return
        async with self._turns.of_message(query.message.chat.id, query.message.message_id):
            await toast(query)
            page = await self._analysis.page(order, tap.span, tap.page)
            await show(query, analysis_message(page, locale), analysis_keyboard(page, locale))

    async def _file(self, query: CallbackQuery, tap: AnalysisTap, locale: Locale) -> None:
        if self._making:
            await toast(query, locale(phrases.TOAST_BUSY))
            return
        self._making = True  # one at a time: a table of all reviews takes seconds of work
        try:
            await toast(query, locale(phrases.TOAST_MAKING))
            send = self._send_table if tap.file == "csv" else self._send_page
            await send(query, tap.span, locale)
        finally:
            self._making = False

    async def _send_table(self, query: CallbackQuery, span: Span, locale: Locale) -> None:
        try:
            async with self._analysis.table(span) as (file, count):
                await self._note(query, file.suffix[1:], span, count)
                phrase = phrases.ZIP_CAPTION if file.suffix == ".zip" else phrases.CSV_CAPTION
                in_span = locale(terms.SPANS[span.name])
                caption = locale(phrase, span=in_span, reviews=count)
                with file.open("rb") as content:
                    await _send(query, from_disk(content, file.name), caption)
        except TooLarge:
            await tell_beside(query, locale(phrases.TOO_LARGE))

    async def _send_page(self, query: CallbackQuery, span: Span, locale: Locale) -> None:
        to_explain = await self._analysis.to_explain(span)
        reasons = await self._explaining.explain_all(to_explain)
        # Read once more: one of them may be erased by now.
        analysis = await self._analysis.analysis(span)
        page = await asyncio.to_thread(errors_page, analysis, reasons, locale)
        shown = len(analysis.worst.reviews) + len(analysis.disagreed.reviews)
        await self._note(query, "html", span, shown)
        caption = locale(phrases.HTML_CAPTION, span=locale(terms.SPANS[span.name]))
        name = f"kinorate-{span.name}.html"
        await _send(query, InputFile(page.encode(), filename=name), caption)

    async def _note(self, query: CallbackQuery, kind: str, span: Span, reviews: int) -> None:
        """Record the export before it is sent, since reviews leave the bot."""
        await self._admin_log.note(
            query.from_user.id,
            language_of(query.from_user),
            "export",
            {"format": kind, "span": span.name, "reviews": reviews},
        )


async def _send(query: CallbackQuery, document: InputFile, caption: str) -> None:
    await send_file(query.get_bot(), document, caption, place_of_tap(query))
