"""Tells of the first training: one message each, which is edited as it goes, and one at its end."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from telegram import Bot
from telegram.constants import ParseMode
from telegram.error import BadRequest, Forbidden

from bot.clock import is_set_within
from bot.handlers.admin_notices import tell_admins
from bot.services.first_training import FirstTraining
from bot.services.personal import Personal
from bot.services.versions import VersionService
from bot.texts.locale import Locale, locale_for
from bot.views.first_training import account_message, ready_message

SECONDS_BETWEEN_EDITS = 5.0

logger = logging.getLogger(__name__)


@dataclass
class FirstTrainingNotice:
    bot: Bot
    training: FirstTraining
    personal: Personal
    versions: VersionService
    _shown: dict[int, tuple[int, str]] = field(default_factory=dict)  # message and text, by chat
    _unreachable: set[int] = field(default_factory=set)
    _deleted: set[int] = field(default_factory=set)  # whose message is gone: its readers' wish

    async def run(self) -> None:
        """Show each change until the models answer."""
        account = self.training.account
        while not account.over.is_set():
            await account.changed.wait()
            account.changed.clear()
            if account.is_here:
                await self._tell(self._show)
                await is_set_within(account.over, SECONDS_BETWEEN_EDITS)
        if account.is_here:
            await self._tell(self._show)
            await self._tell(self._say_ready)

    async def _tell(self, telling: Callable[[int], Awaitable[None]]) -> None:
        audience = self.training.audience.keys() - self._unreachable
        try:
            await tell_admins(sorted(audience), telling)
        except Exception:  # the next change is shown then
            logger.exception("the first training can't be shown")

    async def _show(self, user_id: int) -> None:
        if user_id in self._deleted:
            return
        try:
            await self._write(user_id)
        except Forbidden:
            self._unreachable.add(user_id)
            raise
        except BadRequest:  # never wrote to the bot, or has deleted the message
            (self._deleted if user_id in self._shown else self._unreachable).add(user_id)
            raise

    async def _write(self, user_id: int) -> None:
        text = account_message(self.training.account, await self._locale(user_id))
        message_id, before = self._shown.get(user_id, (None, ""))
        if message_id is None:
            sent = await self.bot.send_message(user_id, text, ParseMode.HTML)
            message_id = sent.message_id
        elif text != before:
            await self.bot.edit_message_text(text, user_id, message_id, parse_mode=ParseMode.HTML)
        self._shown[user_id] = message_id, text

    async def _say_ready(self, user_id: int) -> None:
        known, answering = await self.versions.versions(), self.versions.live.version
        figures = next((one.figures for one in known.newest_first if one.name == answering), {})
        text = ready_message(figures, await self._locale(user_id))
        await self.bot.send_message(user_id, text, ParseMode.HTML)

    async def _locale(self, user_id: int) -> Locale:
        known = self.training.audience[user_id] or await self.personal.language(user_id)
        return locale_for(known)
