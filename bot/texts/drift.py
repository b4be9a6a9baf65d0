"""What admins are told when the reviews change."""

from bot.texts.locale import Phrase

TITLE = Phrase("<b>Отзывы изменились</b>", "<b>The reviews have changed</b>")
BEGIN = Phrase(
    "Что за неделю присылали ({reviews:отзыв|отзыва|отзывов}), не похоже на то,"
    " на чём модели учились:",
    "What came this week ({reviews:review|reviews}) is unlike what the models have learned from:",
)
LENGTH = Phrase(
    "длина: в среднем {then} → {now:знак|знака|знаков}",
    "length: {then} → {now:character|characters} on average",
)
UNKNOWN = Phrase(
    "незнакомые слова и знаки: {then} → {now} %", "unknown words and characters: {then} → {now}%"
)
SENTIMENT = Phrase("ответы {model}: {shares}", "answers of {model}: {shares}")
SHARE = Phrase("{face} {then} → {now} %", "{face} {then} → {now}%")
CONFIDENCE = Phrase(
    "уверенность {model}: в среднем {then} → {now} %",
    "confidence of {model}: {then} → {now}% on average",
)
END = Phrase(
    "Модели сейчас могут ошибаться чаще: /stats и /errors покажут, а /retrain переобучит"
    " их на новых оценках. Об этом я больше не напишу, пока отзывы не станут прежними"
    " или модели — другими.",
    "The models may be wrong more often now: /stats and /errors will show it, and /retrain"
    " retrains them on the new ratings. I won't write about this again until the reviews are as"
    " they were, or other models answer.",
)
