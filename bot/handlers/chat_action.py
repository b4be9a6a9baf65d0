"""«Печатает…» while a review is worked on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from telegram import Bot
from telegram.constants import ChatAction
from telegram.error import TelegramError

_LASTS = 4.5  # seconds; Telegram shows it for five
_PATIENCE = 2  # seconds for a request that nobody misses
_MOST_CHATS = 10


class Typing:
    def __init__(self) -> None:
        self._chats: set[int] = set()

    @asynccontextmanager
    async def shown(self, bot: Bot, chat_id: int) -> AsyncIterator[None]:
        """Show it meanwhile; that it can't be shown harms nothing.

        These requests count against the flood limits, and the answers come first: so once for
        all reviews of a chat, in few chats at a time, and not in groups, which get 20 messages a
        minute.
        """
        if chat_id in self._chats or len(self._chats) >= _MOST_CHATS or chat_id < 0:
            yield
            return
        self._chats.add(chat_id)
        done = asyncio.Event()
        task = asyncio.create_task(_keep_typing(bot, chat_id, done))
        try:
            yield
        finally:
            self._chats.discard(chat_id)
            done.set()
            # Arriving after the answer, it would stand there for five seconds: let it end first.
            await task


async def _keep_typing(bot: Bot, chat_id: int, done: asyncio.Event) -> None:
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
