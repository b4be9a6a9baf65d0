"""/retrain, its progress in one message, and the ending told to every admin."""

import logging
import time
from collections.abc import Collection
from dataclasses import dataclass

from telegram import Bot, Update
from telegram.error import TelegramError
from telegram.ext import ContextTypes

from bot.handlers.asking import message_of
from bot.handlers.decisions import send_decision
from bot.handlers.replying import toast
from bot.services.retraining import NotBegun
from bot.services.services import Services
from bot.services.training_process import Progress
from bot.texts.languages import texts_for
from bot.texts.retraining import retraining_texts_for
from bot.views.retraining import cancel_keyboard, ending_message, progress_message
from db.models import TrainingRun

TAPS = r"t:cancel:[0-9]{1,18}"
SECONDS_BETWEEN_EDITS = 10.0

logger = logging.getLogger(__name__)


@dataclass
class _Shown:
    """The message that shows a run's progress."""

    chat_id: int
    message_id: int
    language: str
    edited_at: float = 0.0


class Retrainings:
    def __init__(self, services: Services, bot: Bot, admin_ids: Collection[int]) -> None:
        self._retraining = services.retraining
        self._personal = services.personal
        self._log = services.admin_log
        self._bot = bot
        self._admin_ids = admin_ids
        self._shown: dict[int, _Shown] = {}  # by run
        services.retraining.watcher = self

    async def command(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """Start one; it goes on in the background."""
        message, user = message_of(update)
        language = user.language_code or "ru"
        said = retraining_texts_for(language)
        begun = await self._retraining.begin("admin")
        if begun is NotBegun.BUSY:
            await message.reply_html(said.busy)
        elif begun is NotBegun.SKIPPED:
            await message.reply_html(said.skipped)
        else:
            assert isinstance(begun, int)
            await self._log.note(user.id, language, "retrain", {"run": begun})
            keyboard = cancel_keyboard(begun, said)
            sent = await message.reply_html(said.begun, reply_markup=keyboard)
            self._shown[begun] = _Shown(sent.chat_id, sent.message_id, language)

    async def tapped(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """Cancel."""
        query = update.callback_query
        assert query is not None
        language = query.from_user.language_code or "ru"
        run_id = int((query.data or "").rpartition(":")[2])
        if await self._retraining.cancel(run_id):
            await toast(query)
            await self._log.note(query.from_user.id, language, "cancel", {"run": run_id})
        else:
            await toast(query, retraining_texts_for(language).toast_not_running)

    async def progressed(self, run_id: int, progress: Progress) -> None:
        shown = self._shown.get(run_id)
        now = time.monotonic()
        if shown is None or now - shown.edited_at < SECONDS_BETWEEN_EDITS:
            return
        shown.edited_at = now
        said = retraining_texts_for(shown.language)
        await self._bot.edit_message_text(
            progress_message(progress, said),
            shown.chat_id,
            shown.message_id,
            reply_markup=cancel_keyboard(run_id, said),
        )

    async def ended(self, run: TrainingRun) -> None:
        for admin_id in self._admin_ids:
            language = await self._personal.language(admin_id)
            text = ending_message(run, texts_for(language), retraining_texts_for(language))
            try:
                await send_decision(self._bot, admin_id, run, text, language)
            except TelegramError as error:
                logger.warning("an admin can't be told", exc_info=error, extra={"admin": admin_id})
        if shown := self._shown.pop(run.id, None):
            over = retraining_texts_for(shown.language).over
            await self._bot.edit_message_text(over, shown.chat_id, shown.message_id)
