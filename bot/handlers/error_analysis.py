"""/errors: the reviews to learn from, in the chat page by page and as files."""

import asyncio
from dataclasses import dataclass

from telegram import Bot, CallbackQuery, InputFile, Update
from telegram.ext import ContextTypes

from bot.handlers.asking import message_of
from bot.handlers.replying import show, toast
from bot.services.error_analysis import Page, TooLarge
from bot.services.periods import Span, parse_span
from bot.services.services import Services
from bot.texts.error_analysis import ErrorTexts, error_texts_for
from bot.texts.languages import texts_for
from bot.texts.statistics import statistics_texts_for
from bot.texts.texts import Texts
from bot.views.error_analysis import errors_keyboard, errors_message, errors_tap
from bot.views.error_page import errors_page
from bot.views.numbers import Numbers
from db.hard_reviews import Order

_SECONDS_TO_SEND = 300  # as a file of 45 MB may take


@dataclass(frozen=True)
class _Language:
    texts: Texts
    said: ErrorTexts
    numbers: Numbers

    @classmethod
    def of(cls, code: str | None) -> "_Language":
        return cls(texts_for(code), error_texts_for(code), Numbers(statistics_texts_for(code)))

    def message(self, page: Page) -> str:
        return errors_message(page, self.texts, self.said, self.numbers)


class Errors:
    def __init__(self, services: Services) -> None:
        self._analysis = services.error_analysis
        self._admin_log = services.admin_log
        self._turns = services.turns
        self._making = False

    async def command(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        message, user = message_of(update)
        language = _Language.of(user.language_code)
        span = parse_span(context.args or [])
        if span is None:
            await message.reply_html(language.said.bad_span)
            return
        page = await self._analysis.page(Order.WORST, span, 0)
        keyboard = errors_keyboard(page, language.said)
        await message.reply_html(language.message(page), reply_markup=keyboard)

    async def tapped(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        query = update.callback_query
        assert query is not None
        language = _Language.of(query.from_user.language_code)
        tap = errors_tap(query.data or "")
        if tap is None:
            await toast(query, language.texts.toast_old_button)
        elif tap.order is None:
            await self._file(query, tap.file, tap.span, language)
        else:
            await self._turn(query, tap.order, tap.span, tap.page, language)

    async def _turn(
        self, query: CallbackQuery, order: Order, span: Span, number: int, language: _Language
    ) -> None:
        """Show another page: of quick taps the last one's, whichever is looked up sooner."""
        if query.message is None:
            return
        async with self._turns.of_message(query.message.chat.id, query.message.message_id):
            await toast(query)
            page = await self._analysis.page(order, span, number)
            await show(query, language.message(page), errors_keyboard(page, language.said))

    async def _file(self, query: CallbackQuery, kind: str, span: Span, language: _Language) -> None:
        if self._making:
            await toast(query, language.said.toast_busy)
            return
        self._making = True  # one at a time: a table of all reviews takes seconds of work
        try:
            await toast(query, language.said.toast_making)
            send = self._send_table if kind == "csv" else self._send_page
            await send(query, span, language)
        finally:
            self._making = False

    async def _send_table(self, query: CallbackQuery, span: Span, language: _Language) -> None:
        chat_id, bot = query.from_user.id, query.get_bot()
        said = language.said
        try:
            async with self._analysis.table(span) as (file, count):
                await self._note(query, file.suffix[1:], span, count)
                caption = said.zip_caption if file.suffix == ".zip" else said.csv_caption
                caption = caption.format(
                    span=said.span(span.name), reviews=language.numbers.whole(count)
                )
                content = await asyncio.to_thread(file.read_bytes)
                await _send(bot, chat_id, content, file.name, caption)
        except TooLarge:
            await bot.send_message(chat_id, said.too_large)

    async def _send_page(self, query: CallbackQuery, span: Span, language: _Language) -> None:
        analysis = await self._analysis.analysis(span)
        page = await asyncio.to_thread(
            errors_page, analysis, language.texts, language.said, language.numbers
        )
        await self._note(query, "html", span, len(analysis.worst) + len(analysis.disagreed))
        caption = language.said.html_caption.format(span=language.said.span(span.name))
        name = f"kinorate-{span.name}.html"
        await _send(query.get_bot(), query.from_user.id, page.encode(), name, caption)

    async def _note(self, query: CallbackQuery, kind: str, span: Span, reviews: int) -> None:
        """On record before it is sent: reviews leave the bot."""
        await self._admin_log.note(
            query.from_user.id,
            query.from_user.language_code or "ru",
            "export",
            {"format": kind, "span": span.name, "reviews": reviews},
        )


async def _send(bot: Bot, chat_id: int, content: bytes, name: str, caption: str) -> None:
    file = InputFile(content, filename=name)
    await bot.send_document(chat_id, file, caption=caption, write_timeout=_SECONDS_TO_SEND)
