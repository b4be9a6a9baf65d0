"""What admins read about the versions of the models."""

from bot.texts.locale import Phrase

TITLE = Phrase("<b>Версии моделей</b>", "<b>Model versions</b>")
NONE = Phrase("Версий пока нет.", "There are no versions yet.")
CHAMPION = Phrase("★ <b>{name}</b> — отвечает сейчас", "★ <b>{name}</b> answers now")
FIGURES = Phrase(
    "{model}: точность {accuracy}, macro F1 {macro_f1}, MAE оценки {mae}",
    "{model}: accuracy {accuracy}, macro F1 {macro_f1}, rating MAE {mae}",
)
NO_FIGURES = Phrase("показателей нет", "no figures")
OLDER = Phrase(
    "…и ещё {count:версия|версии|версий} постарше.", "…and {count:older one|older ones}."
)
EXPLAINED = Phrase(
    "Показатели — на отложенных отзывах самой версии.",
    "Each version's figures are on its own held-out reviews.",
)
NEXT_RETRAININGS = Phrase(
    "Переобучение по расписанию ({zone}):\n{times}",
    "Scheduled retrainings ({zone}):\n{times}",
)
WAS_REFUSED = Phrase(" — ⛔ не принята", " — ⛔ refused")
DECISION = Phrase("📊 Итог {name}", "📊 Decision on {name}")
PROMOTE = Phrase("Поставить {name}", "Use {name}")
ROLL_BACK = Phrase("↩ Вернуть {name}", "↩ Back to {name}")
ASK_PROMOTE = Phrase(
    "Отвечать на отзывы будет <b>{name}</b>. Сейчас — {champion}. Поставить?",
    "Reviews will be answered by <b>{name}</b>. Now it is {champion}. Use it?",
)
ASK_ROLL_BACK = Phrase(
    "Вернуть прежнюю версию <b>{name}</b>? Сейчас — {champion}.",
    "Go back to <b>{name}</b>, the previous version? Now it is {champion}.",
)
YES = Phrase("Да", "Yes")
NO = Phrase("Нет", "No")
PROMOTED = Phrase(
    "Готово: следующий отзыв оценит <b>{name}</b>.",
    "Done: <b>{name}</b> will rate the next review.",
)
REFUSED = Phrase(
    "Версию {name} поставить не вышло, отвечает прежняя:\n<code>{reason}</code>",
    "{name} can't be used, the previous version still answers:\n<code>{reason}</code>",
)
CHANGED = Phrase(
    "Пока вы думали, версии сменились. Посмотрите ещё раз: /models.",
    "The versions have changed meanwhile. Have another look: /models.",
)
NOBODY = Phrase("никто", "nobody")

CHAMPION_NOT_TAKEN = Phrase(
    "⚠️ Процесс {process} не может взять новую версию моделей и отвечает прежней, {version}."
    "\n<code>{reason}</code>",
    "⚠️ The process {process} can't take the new version of the models and goes on with"
    " {version}.\n<code>{reason}</code>",
)
NO_VERSION_TAKEN = Phrase(
    "⚠️ Процесс {process} не может взять модели, и отвечать ему нечем.\n<code>{reason}</code>",
    "⚠️ The process {process} can't take the models and has none to answer with."
    "\n<code>{reason}</code>",
)
