"""Why a rating: the button, and what it tells."""

from bot.texts.locale import Phrase

BUTTON = Phrase("Почему?", "Why?")
TOAST_ELSEWHERE = Phrase(
    "Этот отзыв прислали не вы и не сюда. Пришлите свой!",
    "You did not send this review, and not here. Send your own!",
)
TOAST_OTHER_VERSION = Phrase(
    "Этот ответ дала версия моделей, которая больше не отвечает. Пришлите отзыв ещё раз.",
    "Models of another version gave this answer, and answer no more. Send the review again.",
)
TOAST_BUSY = Phrase(
    "Сейчас много отзывов, и на «почему» не хватает времени. Спросите чуть позже.",
    "There are many reviews just now, and no time left for “why”. Ask a little later.",
)
TITLE = Phrase(
    "<b>Почему так?</b> На сколько баллов каждое предложение меняет оценку:",
    "<b>Why?</b> By how many points each sentence changes the rating:",
)
TITLE_WORDS = Phrase(
    "<b>Почему так?</b> Предложение здесь одно, поэтому по словам: на сколько баллов они меняют"
    " оценку.",
    "<b>Why?</b> There is only one sentence, so by words: by how many points each changes the"
    " rating.",
)
UP = Phrase("▲ {points} «{text}»", "▲ {points} “{text}”")
DOWN = Phrase("▼ {points} «{text}»", "▼ {points} “{text}”")
RESTS_ON = Phrase("Настроение держится на «{text}»", "The sentiment rests on “{text}”")
NOTHING = Phrase("Ничто по отдельности оценку не меняет.", "Nothing by itself changes the rating.")
DIFFER = Phrase(
    "Модели опираются на разное: CLS — на «{cls}», Mean — на «{mean}».",
    "The models rest on different parts: CLS on “{cls}”, Mean on “{mean}”.",
)

# --- on pages, plain text
PAGE_TITLE = Phrase(
    "Почему: на сколько баллов каждое предложение меняет оценку",
    "Why: by how many points each sentence changes the rating",
)
PAGE_TITLE_WORDS = Phrase(
    "Почему: предложение здесь одно, поэтому на сколько баллов оценку меняет каждое слово",
    "Why: there is one sentence, so by how many points each word changes the rating",
)
PAGE_RESTS_ON = Phrase("Настроение держится на", "The sentiment rests on")
PAGE_DIFFER = Phrase("Модели опираются на разное.", "The models rest on different parts.")
