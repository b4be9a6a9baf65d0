"""The words that several messages share."""

from bot.texts.locale import Phrase

FACES = ("😞", "😐", "😊")
"""Of the sentiments, from Bad to Good."""

SENTIMENTS = (Phrase("Плохо", "Bad"), Phrase("Нейтрально", "Neutral"), Phrase("Хорошо", "Good"))
"""Their names, in the same order."""

MODEL = Phrase("Модель", "Model")
SENTIMENT = Phrase("Настроение", "Sentiment")
RATING = Phrase("Оценка", "Rating")
ACCURACY = Phrase("Точность", "Accuracy")
RATING_MAE = Phrase("MAE оценки", "Rating MAE")

SPANS = {
    "24h": Phrase("за сутки", "over a day"),
    "7d": Phrase("за неделю", "over a week"),
    "30d": Phrase("за 30 дней", "over 30 days"),
    "all": Phrase("за всё время", "since the beginning"),
}
"""The spans of time that admins can ask about, by name."""

BAD_SPAN = Phrase(
    "Такого срока я не знаю. Можно {command} 24h, {command} 7d, {command} 30d или {command} all;"
    " просто {command} — за неделю.",
    "I don't know that span. There are {command} 24h, {command} 7d, {command} 30d and"
    " {command} all; plain {command} is a week.",
)
