"""What admins read about the model versions, in Russian and in English."""

from dataclasses import dataclass

from bot.texts.ru import typeset


@dataclass(frozen=True)
class ModelTexts:
    title: str
    none: str
    champion: str  # {name}
    figures: str  # {model} {accuracy} {macro_f1} {mae}
    no_figures: str
    older: str  # {count}
    explained: str
    decimal_point: str
    was_refused: str
    decision: str  # {name}
    promote: str  # {name}
    roll_back: str  # {name}
    ask_promote: str  # {name} {champion}
    ask_roll_back: str  # {name} {champion}
    yes: str
    no: str
    promoted: str  # {name}
    refused: str  # {name} {reason}
    changed: str
    nobody: str


RUSSIAN_MODELS = typeset(
    ModelTexts(
        title="<b>Версии моделей</b>",
        none="Версий пока нет.",
        champion="★ <b>{name}</b> — отвечает сейчас",
        figures="{model}: точность {accuracy} %, macro F1 {macro_f1}, MAE оценки {mae}",
        no_figures="показателей нет",
        older="…и ещё {count}, постарше.",
        explained="Показатели — на отложенных отзывах самой версии.",
        decimal_point=",",
        was_refused=" — ⛔ не принята",
        decision="📊 Итог {name}",
        promote="Поставить {name}",
        roll_back="↩ Вернуть {name}",
        ask_promote="Отвечать на отзывы будет <b>{name}</b>. Сейчас — {champion}. Поставить?",
        ask_roll_back="Вернуть прежнюю версию <b>{name}</b>? Сейчас — {champion}.",
        yes="Да",
        no="Нет",
        promoted="Готово: следующий отзыв оценит <b>{name}</b>.",
        refused="Версию {name} поставить не вышло, отвечает прежняя:\n<code>{reason}</code>",
        changed="Пока вы думали, версии сменились. Посмотрите ещё раз: /models.",
        nobody="никто",
    )
)

ENGLISH_MODELS = ModelTexts(
    title="<b>The models' versions</b>",
    none="There are no versions yet.",
    champion="★ <b>{name}</b>, which answers now",
    figures="{model}: accuracy {accuracy} %, macro F1 {macro_f1}, rating MAE {mae}",
    no_figures="no figures",
    older="…and {count} older ones.",
    explained="The figures are of each version's own held-out reviews.",
    decimal_point=".",
    was_refused=" — ⛔ refused",
    decision="📊 Gate {name}",
    promote="Use {name}",
    roll_back="↩ Back to {name}",
    ask_promote="Reviews will be answered by <b>{name}</b>. Now it is {champion}. Use it?",
    ask_roll_back="Go back to <b>{name}</b>, the version before? Now it is {champion}.",
    yes="Yes",
    no="No",
    promoted="Done: <b>{name}</b> will rate the next review.",
    refused="{name} can't be used, the version before still answers:\n<code>{reason}</code>",
    changed="The versions have changed meanwhile. Have another look: /models.",
    nobody="nobody",
)


def model_texts_for(language_code: str | None) -> ModelTexts:
    """English for someone whose Telegram speaks English, Russian for everyone else."""
    return ENGLISH_MODELS if (language_code or "").lower().startswith("en") else RUSSIAN_MODELS
