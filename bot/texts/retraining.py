"""What admins read about retraining, in Russian and in English."""

from dataclasses import dataclass

from bot.texts.ru import typeset


@dataclass(frozen=True)
class RetrainingTexts:
    begun: str
    progress: str  # {bar} {share} {epoch} {epochs} {left}
    minutes: str  # {minutes}
    cancel: str
    busy: str
    skipped: str
    over: str
    toast_not_running: str
    promoted: str  # {version}
    refused: str  # {version}
    failed: str  # {reason}
    cancelled: str
    interrupted: str
    rows: str  # {holdout} {rated}
    check: str  # {mark} {what} {model} {value} {limit}
    macro_f1: str
    recall: str  # {sentiment}
    feedback: str
    calibration: str
    speed: str
    at_least: str
    at_most: str
    decimal_point: str
    back: str
    decided_promoted: str  # {version} {champion} {date}
    decided_refused: str  # likewise
    # --- the chart of a decision, plain text
    chart_caption: str  # {champion} {challenger}
    chart_differences: str
    chart_calibration: str
    chart_speed: str
    chart_accuracy: str
    chart_rated: str
    chart_recall: str  # {sentiment}
    chart_times: str
    chart_old: str
    chart_new: str
    chart_failed: str
    chart_limit: str


RUSSIAN_RETRAINING = typeset(
    RetrainingTexts(
        begun="Переобучаю: готовлю отзывы.",
        progress="Переобучаю: эпоха {epoch} из {epochs}\n{bar} {share} %\nОсталось {left}.",
        minutes="минут: {minutes}",
        cancel="Прервать",
        busy="Модели уже переобучаются.",
        skipped="Новых оценок для обучения нет: все уже учтены.",
        over="Переобучение закончилось, итог ниже.",
        toast_not_running="Уже не идёт.",
        promoted="✅ Переобучение: новая версия <b>{version}</b> принята и уже отвечает.",
        refused="⛔ Переобучение: новая версия {version} не принята, отвечает прежняя.",
        failed="⚠️ Переобучение не удалось, отвечает прежняя версия.\n<code>{reason}</code>",
        cancelled="Переобучение прервано, отвечает прежняя версия.",
        interrupted="Переобучение оборвалось вместе с ботом, отвечает прежняя версия.",
        rows="Отложенных отзывов: {holdout}, оценённых пользователями: {rated}.",
        check="{mark} {model}: {what} {value} ({limit})",
        macro_f1="macro F1, нижняя граница разницы",
        recall="полнота «{sentiment}», разница",
        feedback="точность на оценках, разница",
        calibration="ошибка калибровки, нижняя граница",
        speed="время ответа, раз",
        at_least="не ниже {limit}",
        at_most="не выше {limit}",
        decimal_point=",",
        back="Вернуть прежнюю версию: /models.",
        decided_promoted="✅ Версия <b>{version}</b> принята вместо {champion}\n{date}",
        decided_refused="⛔ Версия <b>{version}</b> не принята вместо {champion}\n{date}",
        chart_caption="Прежняя — {champion}, новая — {challenger}. Линии — 95 % интервалы, "
        "закрашено то, что не допускается.",
        chart_differences="Разница, пункты",
        chart_calibration="Ошибка калибровки",
        chart_speed="Время ответа",
        chart_accuracy="точность",
        chart_rated="на оценках",
        chart_recall="полнота\n{sentiment}",
        chart_times="во столько раз",
        chart_old="прежняя",
        chart_new="новая",
        chart_failed="не прошла",
        chart_limit="предел",
    )
)

ENGLISH_RETRAINING = RetrainingTexts(
    begun="Training again: preparing the reviews.",
    progress="Training again: epoch {epoch} of {epochs}\n{bar} {share} %\nTime left: {left}.",
    minutes="{minutes} min",
    cancel="Cancel",
    busy="The models are being trained already.",
    skipped="There are no new ratings to learn from.",
    over="The training has ended, see below.",
    toast_not_running="It is not running any more.",
    promoted="✅ Retraining: the new version <b>{version}</b> is accepted and answers already.",
    refused="⛔ Retraining: the new version {version} is refused, the one before answers.",
    failed="⚠️ Retraining failed, the version before answers.\n<code>{reason}</code>",
    cancelled="Retraining was cancelled, the version before answers.",
    interrupted="Retraining was interrupted with the bot, the version before answers.",
    rows="Held-out reviews: {holdout}, rated by users: {rated}.",
    check="{mark} {model} {what}: {value} ({limit})",
    macro_f1="macro F1, lower end of the difference",
    recall="recall of {sentiment}, difference",
    feedback="accuracy on ratings, difference",
    calibration="calibration error, lower end",
    speed="time of an answer, times",
    at_least="at least {limit}",
    at_most="at most {limit}",
    decimal_point=".",
    back="Back to the version before: /models.",
    decided_promoted="✅ <b>{version}</b> was accepted in the place of {champion}\n{date}",
    decided_refused="⛔ <b>{version}</b> was refused in the place of {champion}\n{date}",
    chart_caption="Before {champion}, after {challenger}. Lines are 95 % intervals, what is "
    "shaded is not allowed.",
    chart_differences="Difference, points",
    chart_calibration="Calibration error",
    chart_speed="Time of an answer",
    chart_accuracy="accuracy",
    chart_rated="on ratings",
    chart_recall="recall of\n{sentiment}",
    chart_times="times",
    chart_old="before",
    chart_new="new",
    chart_failed="failed",
    chart_limit="limit",
)


def retraining_texts_for(language_code: str | None) -> RetrainingTexts:
    """English for someone whose Telegram speaks English, Russian for everyone else."""
    is_english = (language_code or "").lower().startswith("en")
    return ENGLISH_RETRAINING if is_english else RUSSIAN_RETRAINING
