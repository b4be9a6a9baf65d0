"""What admins read about retraining and the decisions of the gate."""

from bot.texts.locale import Phrase

BEGUN = Phrase("Переобучаю: готовлю отзывы.", "Retraining: preparing the reviews.")
PROGRESS = Phrase(
    "Переобучаю: эпоха {epoch} из {epochs}\n{bar} {share} %\nОсталось {left}.",
    "Retraining: epoch {epoch} of {epochs}\n{bar} {share}%\nTime left: {left}.",
)
MINUTES = Phrase("минут: {minutes}", "{minutes} min")
CANCEL = Phrase("Прервать", "Cancel")
BUSY = Phrase("Модели уже переобучаются.", "The models are being trained already.")
SKIPPED = Phrase(
    "Новых оценок для обучения нет: все уже учтены.", "There are no new ratings to learn from."
)
READ_ONLY = Phrase(
    "Здесь нельзя переобучить модели: их папка доступна только для чтения.",
    "The models can't be trained here: their folder is read-only.",
)
OVER = Phrase("Переобучение закончилось, итог ниже.", "The training has ended, see below.")
TOAST_NOT_RUNNING = Phrase("Уже не идёт.", "It is not running any more.")

ENDINGS = {
    "promoted": Phrase(
        "✅ Переобучение: новая версия <b>{version}</b> принята и уже отвечает.",
        "✅ Retraining: the new version <b>{version}</b> is accepted and already answers.",
    ),
    "refused": Phrase(
        "⛔ Переобучение: новая версия {version} не принята, отвечает прежняя.",
        "⛔ Retraining: the new version {version} is refused, the previous one answers.",
    ),
    "failed": Phrase(
        "⚠️ Переобучение не удалось, отвечает прежняя версия.\n<code>{reason}</code>",
        "⚠️ Retraining failed, the previous version answers.\n<code>{reason}</code>",
    ),
    "cancelled": Phrase(
        "Переобучение прервано, отвечает прежняя версия.",
        "Retraining was cancelled, the previous version answers.",
    ),
    "interrupted": Phrase(
        "Переобучение оборвалось вместе с ботом, отвечает прежняя версия.",
        "Retraining stopped with the bot, the previous version answers.",
    ),
}
"""By the status of the run."""

ROWS = Phrase(
    "Отложенных отзывов: {holdout}, оценённых пользователями: {rated} (людей: {persons}).",
    "Held-out reviews: {holdout}, rated by users: {rated} (people: {persons}).",
)
TOO_FEW_RATED = Phrase(
    "По оценкам не сравниваю: нужно {reviews} от {persons} человек.",
    "Ratings are not compared: that takes {reviews} from {persons} people.",
)
STOOD_OUT = Phrase(
    "Кто выделяется (номера отзывов — как на странице из /errors):",
    "Who stood out (reviews are numbered as on the page from /errors):",
)
CONTRADICTS = Phrase(
    "• отзывы № {reviews}: {contradicting} из {ratings:оценки|оценок|оценок} против обеих моделей."
    " Не учтены.",
    "• reviews No. {reviews}: {contradicting} of {ratings:rating|ratings} against both models."
    " Left out.",
)
RATES_MOST = Phrase(
    "• отзывы № {reviews}: {share} всех оценок от одного человека.",
    "• reviews No. {reviews}: {share} of all ratings are one person's.",
)
MORE_PERSONS = Phrase(
    "• и ещё {persons:человек|человека|человек}.", "• and {persons:more person|more people}."
)
CHECK = Phrase(
    "{mark} {model}: {what} {value} ({limit})", "{mark} {model} {what}: {value} ({limit})"
)

CHECKS = {
    "macro_f1": Phrase("macro F1, нижняя граница разницы", "macro F1, lower end of the difference"),
    "in_short": Phrase(
        "macro F1 по {tokens} токенам, нижняя граница разницы",
        "macro F1 by {tokens} tokens, lower end of the difference",
    ),
    "recall": Phrase("полнота «{sentiment}», разница", "recall of {sentiment}, difference"),
    "feedback": Phrase(
        "точность на оценках, верхняя граница разницы",
        "accuracy on ratings, upper end of the difference",
    ),
    "calibration": Phrase("ошибка калибровки, нижняя граница", "calibration error, lower end"),
    "speed": Phrase("время ответа, раз", "answer time, ratio"),
}
"""What the gate checks, by the name of the check."""

AT_LEAST = Phrase("не ниже {limit}", "at least {limit}")
AT_MOST = Phrase("не выше {limit}", "at most {limit}")
BACK = Phrase("Вернуть прежнюю версию: /models.", "Back to the previous version: /models.")
DECIDED_PROMOTED = Phrase(
    "✅ Версия <b>{version}</b> принята вместо {champion}\n{date}",
    "✅ <b>{version}</b> was accepted instead of {champion}\n{date}",
)
DECIDED_REFUSED = Phrase(
    "⛔ Версия <b>{version}</b> не принята вместо {champion}\n{date}",
    "⛔ <b>{version}</b> was refused instead of {champion}\n{date}",
)

# --- the chart of a decision, plain text
CHART_CAPTION = Phrase(
    "Прежняя — {champion}, новая — {challenger}. Линии — 95 % интервалы, "
    "закрашено то, что не допускается.",
    "Before {champion}, after {challenger}. Lines are 95% intervals, what is "
    "shaded is not allowed.",
)
CHART_DIFFERENCES = Phrase("Разница, пункты", "Difference, points")
CHART_CALIBRATION = Phrase("Ошибка калибровки", "Calibration error")
CHART_SPEED = Phrase("Время ответа", "Answer time")
CHART_ACCURACY = Phrase("точность", "accuracy")
CHART_RATED = Phrase("на оценках", "on ratings")
CHART_IN_SHORT = Phrase("по {tokens} токенам", "by {tokens} tokens")
CHART_RECALL = Phrase("полнота\n{sentiment}", "recall of\n{sentiment}")
CHART_TIMES = Phrase("во столько раз", "times")
CHART_OLD = Phrase("прежняя", "before")
CHART_NEW = Phrase("новая", "new")
CHART_FAILED = Phrase("не прошла", "failed")
CHART_LIMIT = Phrase("предел", "limit")
