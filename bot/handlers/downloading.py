"""The content of a text file: from Telegram, or from the disk of a self-hosted server."""

import asyncio
import logging
from pathlib import Path

from telegram import Document, File
from telegram.error import BadRequest, NetworkError, TelegramError

from bot.delivery.processor import can_wait
from bot.services.checking import LARGEST_FILE
from bot.texts import conversation as phrases
from bot.texts.locale import Phrase

TELEGRAM = "https://api.telegram.org/"

logger = logging.getLogger(__name__)


async def download(document: Document) -> bytes | Phrase:
    """The content, or what to tell the user where there is none to be had.

    Raises the errors after which the update is tried again: Telegram can't be reached.
    """
    try:
        file = await document.get_file()
        if (file.file_size or 0) > LARGEST_FILE:
            return phrases.DOCUMENT_TOO_LARGE
        content = await _content(file)
    except (TelegramError, PermissionError, FileNotFoundError, IsADirectoryError) as error:
        if not isinstance(error, OSError) and can_wait(error):
            raise
        logger.warning("a file can't be fetched", extra={"why": f"{type(error).__name__}: {error}"})
        too_big = "too big" in str(error).lower()
        return phrases.DOCUMENT_TOO_LARGE if too_big else phrases.DOCUMENT_GONE
    return content if len(content) <= LARGEST_FILE else phrases.DOCUMENT_TOO_LARGE


async def _content(file: File) -> bytes:
    path, bot = file.file_path, file.get_bot()
    if not path:
        raise BadRequest("the file has no path")
    if path.startswith(bot.base_file_url):
        content = bytes(await file.download_as_bytearray())
    elif Path(path).is_absolute() and not bot.base_url.startswith(TELEGRAM):
        # PTB leaves the path of a file on this disk as it is: the server runs in its local mode.
        return await asyncio.to_thread(_read, Path(path))
    else:
        # A relative path is the server's, even if a file of this name is in the working folder.
        content = await bot.request.retrieve(f"{bot.base_file_url}/{path}")
    if file.file_size and len(content) != file.file_size and _is_page(content):
        raise NetworkError("a page came in the place of the file")
    return content


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LARGEST_FILE + 1)


def _is_page(content: bytes) -> bool:
    return not content or content.lstrip()[:14].lower().startswith((b"<!doctype html", b"<html"))
