"""/retrain: shows the progress in one message and tells every admin how it ended."""

import time
from collections.abc import Collection
from dataclasses import dataclass

from telegram import Bot, Update, User
from telegram.ext import ContextTypes

from bot.handlers.admin_notices import send_decision, tell_admins
from bot.handlers.incoming import language_of, locale_of, message_of
from bot.handlers.once import Once
from bot.handlers.replying import toast
from bot.services.raters import StoodOut
from bot.services.retraining import NotBegun
from bot.services.services import Services
from bot.services.training_process import Progress
from bot.texts import retraining as phrases
from bot.texts.first_training import AGAIN
from bot.texts.first_training import BUSY as FIRST
from bot.texts.locale import Locale, locale_for
from bot.views.retraining import cancel_keyboard, ending_message, progress_message
from db.models import TrainingRun

TAPS = r"t:cancel:[0-9]{1,18}"
SECONDS_BETWEEN_EDITS = 10.0


@dataclass
class _Shown:
    """The message that shows a run's progress."""

    chat_id: int
    message_id: int
    locale: Locale
    edited_at: float = 0.0


class Retrainings:
    def __init__(self, services: Services, bot: Bot, admin_ids: Collection[int]) -> None:
        self._retraining = services.retraining
        self._first_training = services.first_training
        self._log = services.admin_log
        self._personal = services.personal
        self._bot = bot
        self._admin_ids = admin_ids
        self._shown: dict[int, _Shown] = {}  # by run
        self._begun: Once[int | NotBegun] = Once()
        self._cancelled: Once[bool] = Once()
        services.retraining.watcher = self

    async def command(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """Start one; it goes on in the background."""
        message, user = message_of(update)
        locale = locale_of(update)
        begun = await self._begun.do(update.update_id, lambda: self._begin(user))
        if begun is NotBegun.BUSY:
            await message.reply_html(locale(phrases.BUSY))
        elif begun is NotBegun.SKIPPED:
            await message.reply_html(locale(phrases.SKIPPED))
        elif begun is NotBegun.NO_MODELS:
            is_again = self._first_training is not None and self._first_training.try_again()
            await message.reply_html(locale(AGAIN if is_again else FIRST))
        elif begun is NotBegun.READ_ONLY:
            await message.reply_html(locale(phrases.READ_ONLY))
        else:
            assert isinstance(begun, int)
            keyboard = cancel_keyboard(begun, locale)
            sent = await message.reply_html(locale(phrases.BEGUN), reply_markup=keyboard)
            self._shown[begun] = _Shown(sent.chat_id, sent.message_id, locale)

    async def tapped(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """Cancel."""
        query = update.callback_query
        assert query is not None
        run_id, user = int((query.data or "").rpartition(":")[2]), query.from_user
        if await self._cancelled.do(update.update_id, lambda: self._cancel(run_id, user)):
            await toast(query)
        else:
            await toast(query, locale_of(update)(phrases.TOAST_NOT_RUNNING))

    async def _begin(self, user: User) -> int | NotBegun:
        begun = await self._retraining.begin("admin")
        if isinstance(begun, int):
            await self._log.note(user.id, language_of(user), "retrain", {"run": begun})
        return begun

    async def _cancel(self, run_id: int, user: User) -> bool:
        if not await self._retraining.cancel(run_id):
            return False
        await self._log.note(user.id, language_of(user), "cancel", {"run": run_id})
        return True

    async def progressed(self, run_id: int, progress: Progress) -> None:
        shown = self._shown.get(run_id)
        now = time.monotonic()
        if shown is None or now - shown.edited_at < SECONDS_BETWEEN_EDITS:
            return
        shown.edited_at = now
        await self._bot.edit_message_text(
            progress_message(progress, shown.locale),
            shown.chat_id,
            shown.message_id,
            reply_markup=cancel_keyboard(run_id, shown.locale),
        )

    async def ended(self, run: TrainingRun, stood_out: list[StoodOut]) -> None:
        async def tell(admin_id: int) -> None:
            locale = locale_for(await self._personal.language(admin_id))
            place = {"chat_id": admin_id}
            text = ending_message(run, locale, stood_out)
            await send_decision(self._bot, place, run, text, locale)

        await tell_admins(self._admin_ids, tell)
        if shown := self._shown.pop(run.id, None):
            over = shown.locale(phrases.OVER)
            await self._bot.edit_message_text(over, shown.chat_id, shown.message_id)
