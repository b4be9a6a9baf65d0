"""Long polling on the raw JSON of updates.

PTB's own loop parses a batch before anyone can store it: one update that it can't parse makes it
fetch the same batch for ever, and one that can't be stored ends it without a word.
"""

import asyncio
import logging
from typing import NoReturn

from telegram import Bot
from telegram.error import NetworkError, TelegramError
from telegram.request import RequestData
from telegram.request._requestparameter import RequestParameter

from bot.delivery.inbox import Inbox
from bot.delivery.raw_updates import ALLOWED_UPDATES, Json, parse_json, raw_update
from bot.delivery.requests import TelegramRequest
from bot.delivery.retries import CONFLICTS, Pulse, Retries
from db.advisory_lock import AdvisoryLock

SECONDS_OF_POLL = 10
"""How long Telegram waits for an update before it answers that there is none."""

SECONDS_TO_ANSWER = 10.0
"""For the way there and back; a poll that takes longer altogether is given up and made again."""

logger = logging.getLogger(__name__)


class PollingRequest(TelegramRequest):
    """The requests of getUpdates: all values of their answers can be stored."""

    @staticmethod
    def parse_json_payload(payload: bytes) -> Json:
        return dict(parse_json(payload))


class Polling:
    """Fetches updates into the inbox; Telegram forgets them once the next poll confirms them."""

    def __init__(
        self,
        bot: Bot,
        request: PollingRequest,
        inbox: Inbox,
        pulse: Pulse,
        patience: int = CONFLICTS,
    ) -> None:
        """`patience`: so many conflicts in a row mean that another program fetches."""
        self._bot, self._request = bot, request
        self._inbox, self._pulse = inbox, pulse
        self._patience = patience
        self._offset = 0

    async def run(self) -> NoReturn:
        """Poll for ever; what fails is tried again. Raises BotError where that is in vain."""
        with self._pulse.beating():
            await self._remove_webhook()
            retries = Retries(self._bot, self._pulse, "fetching updates failed", self._patience)
            while True:
                try:
                    items = await self._poll()
                except Exception as error:
                    await retries.failed(error)
                    continue
                retries.succeeded()
                await self._inbox.receive(items)
                self._offset = next_offset(self._offset, items)

    async def _remove_webhook(self) -> None:
        """Telegram gives no updates as long as there is one."""
        retries = Retries(self._bot, self._pulse, "the webhook can't be removed")
        while True:
            try:
                await self._bot.delete_webhook(drop_pending_updates=False)
            except TelegramError as error:
                await retries.failed(error)
            else:
                return

    async def _poll(self) -> list[object]:
        asked: Json = {"timeout": SECONDS_OF_POLL, "allowed_updates": ALLOWED_UPDATES}
        if self._offset:
            asked["offset"] = self._offset
        parameters = [RequestParameter.from_input(name, value) for name, value in asked.items()]
        async with asyncio.timeout(SECONDS_OF_POLL + 2 * SECONDS_TO_ANSWER):
            result: object = await self._request.post(
                f"{self._bot.base_url}/getUpdates",  # never logged: it holds the token
                RequestData(parameters),
                read_timeout=SECONDS_OF_POLL + SECONDS_TO_ANSWER,
            )
        if not isinstance(result, list):
            raise NetworkError("no list of updates")
        if result and not next_offset(self._offset, result):
            raise NetworkError("updates without ids")
        return result


async def poll_in_turn(polling: Polling, turn: AdvisoryLock, pulse: Pulse) -> NoReturn:
    """Poll while the lock is this process's: of several one does, the others stand by.

    Raises BotError as `Polling.run` does.
    """
    try:
        while True:
            pulse.is_standing_by = True
            await turn.wait()
            pulse.is_standing_by = False
            logger.info("fetching updates")
            await _poll_until_lost(polling, turn)
    finally:
        pulse.is_standing_by = False
        await turn.release()


async def _poll_until_lost(polling: Polling, turn: AdvisoryLock) -> None:
    fetching = asyncio.create_task(polling.run(), name="polling")
    losing = asyncio.create_task(turn.wait_until_lost(), name="the turn to fetch")
    try:
        await asyncio.wait({fetching, losing}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        ended = fetching.done()
        for task in (fetching, losing):
            task.cancel()
        await asyncio.wait({fetching, losing})
    if ended:
        fetching.result()


def next_offset(offset: int, items: list[object]) -> int:
    """What confirms these updates; 0 where nothing does.

    Telegram numbers updates upwards, so a batch without one id confirms as many as it holds.
    """
    ids = [raw.update_id for item in items if (raw := raw_update(item))]
    if ids:
        return ids[-1] + 1
    return offset and offset + len(items)
