"""Shows «печатает…» while a review is predicted."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from telegram import Bot
from telegram.constants import ChatAction
from telegram.error import TelegramError

from bot.clock import is_set_within

_SOON = 0.3  # seconds, within which an answer comes as a rule: nothing is shown for those
_LASTS = 4.5  # seconds; Telegram shows it for five
_PATIENCE = 2  # seconds: nobody misses the request
_MOST_CHATS = 10


class Typing:
    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._chats: set[int] = set()

    @asynccontextmanager
    async def shown(self, chat_id: int) -> AsyncIterator[None]:
        """Show it until the block ends; a failure to show it is ignored.

        These requests count against Telegram's flood limits, which the answers need more: so it
        is shown once for all reviews of a chat, in few chats at a time, and not in groups, where
        a bot may send 20 messages a minute.
        """
        if chat_id in self._chats or len(self._chats) >= _MOST_CHATS or chat_id < 0:
            yield
            return
        self._chats.add(chat_id)
        done = asyncio.Event()
        task = asyncio.create_task(_keep_typing(self._bot, chat_id, done))
        try:
            yield
        finally:
            self._chats.discard(chat_id)
            done.set()
            # A request that arrived after the answer would show for five seconds: wait for it.
            await task


async def _keep_typing(bot: Bot, chat_id: int, done: asyncio.Event) -> None:
    if await is_set_within(done, _SOON):
        return
    while not done.is_set():
        with suppress(TelegramError):
            await bot.send_chat_action(
                chat_id,
                ChatAction.TYPING,
                connect_timeout=_PATIENCE,
                read_timeout=_PATIENCE,
                write_timeout=_PATIENCE,
                pool_timeout=_PATIENCE,
            )
        with suppress(TimeoutError):
            await asyncio.wait_for(done.wait(), _LASTS)
