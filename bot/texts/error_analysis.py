"""What /errors shows, and the page that it exports."""

from bot.texts.locale import Phrase

WORST_TITLE = Phrase("Самые большие ошибки", "The largest errors")
DISAGREED_TITLE = Phrase("Где модели спорят", "Where the models differ most")
PLACE = Phrase("{first}–{last} из {all}", "{first}–{last} of {all}")
NOTHING_WORST = Phrase(
    "Ошибок нет: или модели угадали всё, или никто ещё не поставил оценку.",
    "No errors: either the models were right, or nobody has rated yet.",
)
NOTHING_DISAGREED = Phrase("Модели во всём согласны.", "The models agree on everything.")
RATED = Phrase("автор поставил {rating}, {sentiment}", "rated {rating} by the author, {sentiment}")
READ_IN_SHORT = Phrase("прочитан не целиком", "not read to the end")
NOT_RATED = Phrase("автор не оценил", "not rated by the author")
EXACT = Phrase("точно", "exact")
OFF = Phrase("мимо на {points}", "off by {points}")
BUTTON_WORST = Phrase("Ошибки", "Errors")
BUTTON_DISAGREED = Phrase("Споры", "Differences")
BUTTON_DOUBTFUL = Phrase("Сомнения", "Doubts")
BUTTON_JUDGED = Phrase("Решения", "Decisions")
BUTTON_CSV = Phrase("Таблица CSV", "CSV table")
BUTTON_HTML = Phrase("Страница HTML", "HTML page")
TOAST_MAKING = Phrase("Готовлю файл…", "Making the file…")
TOAST_BUSY = Phrase(
    "Один файл уже готовлю, подождите немного.",
    "One file is being made already, please wait a moment.",
)
CSV_CAPTION = Phrase(
    "Все отзывы {span} с ответами обеих моделей: {reviews}. UTF-8, через запятую.",
    "All reviews {span} with both models' answers: {reviews}. UTF-8, with commas.",
)
ZIP_CAPTION = Phrase(
    "Все отзывы {span}: {reviews}. Таблица велика, поэтому в архиве.",
    "All reviews {span}: {reviews}. The table is large, so it is zipped.",
)
HTML_CAPTION = Phrase(
    "Разбор ошибок {span}: откройте в браузере.", "The errors {span}, for a browser."
)
TOO_LARGE = Phrase(
    "Файл вышел больше, чем принимает Telegram. Возьмите срок короче: /errors 30d.",
    "The file is larger than Telegram takes. Choose a shorter span: /errors 30d.",
)

# --- the exported page, plain text: the page itself escapes it
PAGE_TITLE = Phrase("Где ошибаются модели", "Where the models are wrong")
PAGE_SPAN = Phrase("Отзывы {span}, собрано {made} UTC", "Reviews {span}, collected {made} UTC")
PAGE_COUNTS = Phrase(
    "Отзывов: {reviews}, из них оценены автором: {rated}",
    "Reviews: {reviews}, rated by their authors: {rated}",
)
PAGE_BY_LENGTH = Phrase("По длине отзыва", "By length of the review")
PAGE_BY_SENTIMENT = Phrase("По настроению автора", "By the author's sentiment")
PAGE_BY_CONFIDENCE = Phrase("По уверенности модели", "By the model's confidence")
PAGE_BY_DISAGREEMENT = Phrase("По согласию моделей", "By the models' agreement")
PAGE_BY_READING = Phrase("По прочитанному", "By how much was read")
PAGE_IN_WHOLE = Phrase("отзыв целиком", "the whole review")
PAGE_IN_SHORT = Phrase("не целиком: писали многие", "not all: many were writing")
PAGE_BY_VERSION = Phrase("По версии моделей", "By the models' version")
PAGE_CONFIDENCE_NOTE = Phrase(
    "Уверенность честна, если верных ответов столько же: при 70–80 % — около 75 %.",
    "Confidence is honest where as many answers are right: at 70–80%, about 75%.",
)
PAGE_ACCURACY = Phrase("Настроение верно", "Sentiment right")
PAGE_REVIEWS = Phrase("Отзывов", "Reviews")
PAGE_UP_TO_LENGTH = Phrase("до {end} знаков", "under {end} characters")
PAGE_FROM_LENGTH = Phrase("от {begin} знаков", "{begin} characters or more")
PAGE_BETWEEN = Phrase("{begin}–{end}", "{begin} to {end}")
PAGE_AGREE = Phrase("согласны", "they agree")
PAGE_RATINGS_DIFFER = Phrase(
    "оценки расходятся больше чем на балл", "ratings more than a point apart"
)
PAGE_SENTIMENTS_DIFFER = Phrase("разное настроение", "different sentiments")
PAGE_SHOWN = Phrase(
    "Показано {shown} из {all}; все отзывы есть в таблице CSV.",
    "{shown} of {all} are shown; the CSV table has all reviews.",
)
PAGE_EXPLAINED = Phrase(
    "«Почему» есть у {explained} из них: только среди первых {most} и только об ответах версии,"
    " которая отвечает сейчас.",
    "{explained} of them say why: among the first {most} alone, and of answers by the version that"
    " answers now.",
)
PAGE_NO_ANSWERS = Phrase(
    "Оценок от авторов за это время нет.", "No ratings by authors in this time."
)
PAGE_NOTHING = Phrase("Таких отзывов нет.", "There are no such reviews.")
PAGE_AUTHOR = Phrase("Автор", "Author")
PAGE_SURE = Phrase("{share} уверенности", "{share} sure")
PAGE_READ_ON = Phrase("… читать дальше", "… read on")
PAGE_LEFT_OUT = Phrase(
    "(и ещё {characters:знак|знака|знаков})", "({characters:more character|more characters})"
)
PAGE_ASKED = Phrase("по просьбе", "when asked")
PAGE_CHARACTERS = Phrase("{count:знак|знака|знаков}", "{count:character|characters}")
PAGE_SOURCES = {
    "private": Phrase("личный чат", "private chat"),
    "group": Phrase("группа", "group"),
    "document": Phrase("файл", "file"),
    "edit": Phrase("исправленный", "edited"),
}
PAGE_CONTENTS = Phrase("Содержание", "Contents")
