"""The two languages, and who is spoken to in which."""

from bot.texts.en import ENGLISH
from bot.texts.ru import RUSSIAN
from bot.texts.texts import Texts


def texts_for(language_code: str | None) -> Texts:
    """English for someone whose Telegram speaks English, Russian for everyone else."""
    return ENGLISH if (language_code or "").lower().startswith("en") else RUSSIAN
