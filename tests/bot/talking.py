"""Reviews to send, and what the tests of the conversation look up again and again."""

import asyncio
import base64
from itertools import count
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import selectinload
from telegram import Message

from bot.app import Kinorate
from bot.local.people import USERS
from bot.services.feedback import Draw
from db import installation, updates
from db.engine import Sessions
from db.models import Review
from tests.bot.local_client import Person

ANYA, BORIS, EMILY, GROUP = 1001, 1002, 1003, -1001
REVIEW = "Сюжет предсказуем, зато актёры играют так, что веришь каждому слову."
OTHER_REVIEW = "Затянуто до невозможности, к середине я уже смотрела на часы."

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
PHOTO = ("photo.png", PIXEL, "image/png")

Content = dict[str, Any]

_update_ids = count(1)  # far below the local server's
_message_ids = count(2_000_000_000)  # far above


def rating_data(message: Message, rating: int) -> str:
    """What a tap on this rating sends."""
    buttons = [button for row in buttons_of(message) for button in row]
    return next(data for label, data in buttons if label.removeprefix("✓ ") == str(rating))


def buttons_of(message: Message) -> list[list[tuple[str, str]]]:
    """Label and data of each button, row by row."""
    assert message.reply_markup is not None
    rows = message.reply_markup.inline_keyboard
    return [[(button.text, str(button.callback_data)) for button in row] for row in rows]


async def reviews(read: Sessions) -> list[Review]:
    """All that are stored, oldest first."""
    whole = (selectinload(Review.predictions), selectinload(Review.feedback))
    async with read() as session:
        return list(await session.scalars(select(Review).order_by(Review.id).options(*whole)))


async def draw_of(write: Sessions) -> Draw:
    """What decides which ratings are asked for and held out."""
    async with write.begin() as session:
        return Draw(await installation.secret(session))


async def all_done(read: Sessions) -> None:
    """Wait until every update that has arrived is dealt with."""
    async with asyncio.timeout(300):  # hundreds of them, on a slow machine
        while True:
            async with read() as session:
                if not await updates.pending(session):
                    return
            await asyncio.sleep(0.01)


async def said_since(person: Person, read: Sessions, message_id: int) -> list[str]:
    """What the bot has said after a message, once it has nothing more to say."""
    # Whatever was sent before this has arrived when this is answered.
    last = await Person(person.http, EMILY).ask("/help")
    await all_done(read)
    answers = [m for m in await person.from_bot() if m.message_id > message_id]
    return [m.text or "" for m in answers if m.message_id != last.message_id]


def message(user_id: int = ANYA, chat: dict[str, Any] | None = None, **content: Any) -> Content:
    """A message with any content, as Telegram writes it."""
    return {
        "message_id": next(_message_ids),
        "date": 1_800_000_000,
        "chat": chat or {"id": user_id, "type": "private"},
        "from": USERS[user_id],
        **content,
    }


async def deliver(bot: Kinorate, **content: Content) -> None:
    """Bring an update that the local chat can't send, as if Telegram had."""
    async with asyncio.timeout(60):
        while not bot.parts.pulse.fetching:  # first it replays what is in the inbox
            await asyncio.sleep(0.01)
    await bot.parts.inbox.receive([{"update_id": next(_update_ids), **content}])
