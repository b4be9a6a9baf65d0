"""What /stats says. Figures come in as text already: {cls} and {mean} are the models' figures."""

from bot.texts.locale import Phrase

TITLE = Phrase("Модели {span}", "The models {span}")
NOTHING = Phrase(
    "За это время отзывов не было. Возьмите срок подлиннее: /stats 30d, /stats all.",
    "No reviews in that time. Try a longer one: /stats 30d or /stats all.",
)
TOTALS = Phrase(
    "Отзывов: {reviews}, авторов: {users}.\nОценено: {answered} ({coverage}).",
    "Reviews: {reviews}, authors: {users}.\nRated: {answered} ({coverage}).",
)

# --- rows of the table; 14 characters fit a phone
MACRO_F1 = Phrase("Макро-F1", "Macro F1")
CALIBRATION = Phrase("Калибровка", "Calibration")
RATING_EXACT = Phrase("Оценка точно", "Rating exact")
RATING_WITHIN_ONE = Phrase("Оценка ±1", "Rating ±1")
MEDIAN = Phrase("Медиана, мс", "Median, ms")
P95 = Phrase("p95, мс", "p95, ms")

# --- both models
AGREEMENT = Phrase(
    "Модели согласны: в настроении {sentiment}, в оценке {rating}, до балла {within_one}.",
    "The models agree: on the sentiment {sentiment}, on the rating {rating},"
    " within a point {within_one}.",
)
ONLY_ONE_RIGHT = Phrase(
    "Настроение верно только у CLS: {cls}, только у Mean: {mean}. p {p}.",
    "Sentiment right by CLS alone: {cls}, by Mean alone: {mean}. p {p}.",
)
ACCURACY_DIFFERENCE = Phrase(
    "Настроение, Mean минус CLS: {difference}\u00a0п.\u00a0п. (от {low} до {high}).",
    "Sentiment, Mean minus CLS: {difference} points ({low} to {high}).",
)
MAE_DIFFERENCE = Phrase(
    "MAE, Mean минус CLS: {difference} (от {low} до {high}).",
    "MAE, Mean minus CLS: {difference} ({low} to {high}).",
)

# --- the verdict
TOO_FEW = Phrase(
    "Пока слишком мало оценок по просьбе, чтобы судить: {answers}, а нужно хотя бы {enough}.",
    "Too few ratings given when asked to judge yet: {answers}, at least {enough} are needed.",
)
TOO_FEW_USERS = Phrase(
    "Пока слишком мало тех, кто оценил по просьбе: {users}, а нужно хотя бы {enough}.",
    "Too few users have rated when asked yet: {users}, at least {enough} are needed.",
)
ALIKE = Phrase(
    "Ни у одной модели не видно преимущества: разница не больше случайной.",
    "Neither model shows an advantage: the difference is no more than chance.",
)
BETTER_AT_BOTH = Phrase(
    "{model} лучше: вернее и в настроении, и в оценке.",
    "{model} is better, at the sentiment and at the rating.",
)
BETTER_AT_SENTIMENT = Phrase(
    "{model} лучше угадывает настроение, в оценке разницы не видно.",
    "{model} is better at the sentiment; at the rating no difference shows.",
)
BETTER_AT_RATING = Phrase(
    "{model} точнее в оценке, в настроении разницы не видно.",
    "{model} is better at the rating; at the sentiment no difference shows.",
)
SPLIT = Phrase(
    "{sentiment_model} лучше угадывает настроение, {rating_model} точнее в оценке.",
    "{sentiment_model} is better at the sentiment, {rating_model} at the rating.",
)

# --- who answered, by which version
ASKED = Phrase(
    "Оценили по просьбе: {count}. Судим только по ним: бот просит наугад.",
    "Rated when asked: {count}. Only these are judged by: the bot asks at random.",
)
OTHERS = Phrase(
    "Остальные оценки: {count}. {cls}; {mean}.", "Other ratings: {count}. {cls}; {mean}."
)
BIAS = Phrase(
    "Сами оценивают не все и не всё: точность по ним смещена.",
    "Not everyone rates unasked, and not every review: these figures are biased.",
)
IN_SHORT = Phrase(
    "Прочитано не целиком, когда писали многие: {reviews} ({share}); обеими моделями поровну, и в"
    " сравнение это входит.",
    "Not read to the end, when many were writing: {reviews} ({share}); by both models alike, and"
    " the comparison includes them.",
)
IN_SHORT_RATED = Phrase("Из них оценено: {count}. {cls}; {mean}.", "Rated: {count}. {cls}; {mean}.")
VERSIONS = Phrase("<b>Версии</b>", "<b>Versions</b>")
CALLED_WRONG = Phrase(
    "По решению админов не учтено: {wrong:оценка|оценки|оценок}. Обе модели от этого выглядят"
    " лучше.",
    "Left out by admins: {wrong:rating|ratings}. Both models look better for it.",
)
VERSIONS_IN_WHOLE = Phrase(
    "<b>Версии</b>, прочитанное целиком", "<b>Versions</b>, on what was read in whole"
)
VERSION = Phrase(
    "<code>{version}</code>: {count}. {cls}; {mean}.",
    "<code>{version}</code>: {count} – {cls}; {mean}.",
)
ACCURACY_AND_MAE = Phrase("{accuracy}, MAE {mae}", "{accuracy}, MAE\u00a0{mae}")
EXPLAINED = Phrase(
    "Пределы — 95 % парного бутстрэпа по авторам, p — точный критерий Макнемара."
    " Калибровка (ECE) и MAE: чем меньше, тем лучше. Время UTC.",
    "Limits are 95%, from a paired bootstrap over users; p is McNemar's exact test."
    " Calibration (ECE) and MAE: lower is better. Times are UTC.",
)
# as strftime takes it
SHORT_DATE = Phrase("%d.%m", "%d %b")
SHORT_TIME = Phrase("%H:%M", "%I %p")

# --- the chart, plain text
CHART_ANSWERS = Phrase("Ответ {model}", "{model} answers")
CHART_TRUTH = Phrase("Оценка автора", "Author's rating")
CHART_SENTIMENTS = (Phrase("Плохо", "Bad"), Phrase("Нейтр.", "Neutral"), Phrase("Хорошо", "Good"))
CHART_AGREEMENT = Phrase("Согласие моделей", "The models agree")
CHART_SAME = Phrase("совпало", "same")
CHART_NEAR = Phrase("±1", "within 1")
CHART_DIFFER = Phrase("разошлись", "apart")
CHART_NO_ANSWERS = Phrase("оценок нет", "no ratings")
CHART_CAPTION = Phrase(
    "Точка кривой — {window} до неё. В клетках — отзывы и доля строки.",
    "Curve points: {window} before it. Cells: reviews and share of row.",
)
CHART_DAY = Phrase("сутки", "the day")
CHART_WEEK = Phrase("7 дней", "the 7 days")
