"""Doubtful ratings in /errors: their pages, and what an admin says of them."""

from telegram import Update
from telegram.ext import ContextTypes

from bot.handlers.incoming import language_of, locale_of
from bot.handlers.once import Once
from bot.handlers.replying import show, toast
from bot.services.judging import Admin, Done, NotJudged, Word
from bot.services.services import Services
from bot.texts.conversation import TOAST_OLD_BUTTON
from bot.views.doubts import DoubtTap, doubt_tap, doubts_keyboard, doubts_message, toast_of


class DoubtTaps:
    def __init__(self, services: Services) -> None:
        self._judging = services.judging
        self._once: Once[Done | NotJudged | None] = Once()

    async def tapped(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """Do what the button says, and show the page as it is then."""
        query = update.callback_query
        assert query is not None
        locale = locale_of(update)
        tap = doubt_tap(query.data or "")
        if tap is None:
            await toast(query, locale(TOAST_OLD_BUTTON))
            return
        admin = Admin(query.from_user.id, language_of(query.from_user))
        done = await self._once.do(update.update_id, lambda: self._do(tap, admin))
        text = None if done is None else toast_of(done, locale)
        await toast(query, text, alert=isinstance(done, NotJudged))
        page = await self._judging.page(tap.kind, tap.span, tap.page)
        said = done if isinstance(done, Done) else None
        await show(query, doubts_message(page, locale), doubts_keyboard(page, locale, said))

    async def _do(self, tap: DoubtTap, admin: Admin) -> Done | NotJudged | None:
        if tap.action is not None:
            return await self._judging.take_back(tap.action, admin)
        if tap.seen is not None and tap.verdict is not None:
            return await self._judging.judge(tap.seen, tap.verdict, admin)
        if tap.group and isinstance(tap.verdict, Word):
            return await self._judging.judge_group(tap.group, tap.span, tap.verdict, admin)
        return None
