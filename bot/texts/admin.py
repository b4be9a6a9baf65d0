"""What the admins alone read, in Russian and in English; the rules are those of Texts."""

from dataclasses import dataclass

from bot.texts.ru import typeset


@dataclass(frozen=True)
class AdminTexts:
    # --- the menu of commands
    menu_stats: str
    menu_errors: str
    menu_models: str
    menu_retrain: str


RUSSIAN_ADMIN = typeset(
    AdminTexts(
        menu_stats="Как справляются модели",
        menu_errors="Где модели ошибаются",
        menu_models="Версии моделей",
        menu_retrain="Переобучить на оценках",
    )
)

ENGLISH_ADMIN = AdminTexts(
    menu_stats="How the models fare",
    menu_errors="Where the models are wrong",
    menu_models="The models' versions",
    menu_retrain="Train again, with the ratings",
)


def admin_texts_for(language_code: str | None) -> AdminTexts:
    """English for someone whose Telegram speaks English, Russian for everyone else."""
    return ENGLISH_ADMIN if (language_code or "").lower().startswith("en") else RUSSIAN_ADMIN
