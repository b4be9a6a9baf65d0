"""What /stats tells, in Russian and in English; the rules are those of Texts.

Figures come in as text already: `{cls}` and `{mean}` are the models' figures.
"""

from dataclasses import dataclass

from bot.texts.ru import typeset


@dataclass(frozen=True)
class StatisticsTexts:
    decimal: str  # between a whole number and its tenths
    percent: str  # {number}

    bad_span: str
    title_24h: str
    title_7d: str
    title_30d: str
    title_all: str
    nothing: str
    totals: str  # {reviews} {users} {answered} {coverage}

    # --- rows of the table; 14 characters fit a phone
    model: str
    sentiment_right: str
    macro_f1: str
    calibration: str
    rating_exact: str
    rating_within_one: str
    rating_mae: str
    median: str
    p95: str

    # --- both models
    agreement: str  # {sentiment} {rating} {within_one}
    only_one_right: str  # {cls} {mean} {p}
    accuracy_difference: str  # {difference} {low} {high}, in percentage points
    mae_difference: str  # {difference} {low} {high}

    # --- the verdict
    too_few: str  # {answers} {enough}
    too_few_users: str  # {users} {enough}
    alike: str
    better_at_both: str  # {model}
    better_at_sentiment: str  # {model}
    better_at_rating: str  # {model}
    split: str  # {sentiment_model} {rating_model}

    # --- who answered, by which version
    volunteered: str  # {count} {cls} {mean}
    asked: str  # {count} {cls} {mean}
    bias: str
    versions: str
    version: str  # {version} {count} {cls} {mean}
    accuracy_and_mae: str  # {accuracy} {mae}
    explained: str
    short_date: str  # as strftime takes it
    short_time: str

    # --- the chart, plain text
    chart_answers: str  # {model}
    chart_truth: str
    chart_bad: str
    chart_neutral: str
    chart_good: str
    chart_accuracy: str
    chart_mae: str
    chart_agreement: str
    chart_sentiment: str
    chart_rating: str
    chart_same: str
    chart_near: str
    chart_differ: str
    chart_no_answers: str
    chart_hours: str
    chart_days: str

    def title(self, span: str) -> str:
        return str(getattr(self, f"title_{span}"))

    def chart_caption(self, span: str) -> str:
        return self.chart_hours if span == "24h" else self.chart_days


RUSSIAN_STATISTICS = typeset(
    StatisticsTexts(
        decimal=",",
        percent="{number}\u00a0%",
        bad_span=(
            "Такого срока я не знаю. Можно /stats 24h, /stats 7d, /stats 30d или /stats all;"
            " просто /stats — за неделю."
        ),
        title_24h="Модели за сутки",
        title_7d="Модели за неделю",
        title_30d="Модели за 30 дней",
        title_all="Модели за всё время",
        nothing="За это время отзывов не было. Возьмите срок подлиннее: /stats 30d, /stats all.",
        totals="Отзывов: {reviews}, авторов: {users}.\nОценено: {answered} ({coverage}).",
        model="Модель",
        sentiment_right="Точность",
        macro_f1="Макро-F1",
        calibration="Калибровка",
        rating_exact="Оценка точно",
        rating_within_one="Оценка ±1",
        rating_mae="MAE оценки",
        median="Медиана, мс",
        p95="p95, мс",
        agreement=(
            "Модели согласны: в настроении {sentiment}, в оценке {rating}, до балла {within_one}."
        ),
        only_one_right="Настроение верно только у CLS: {cls}, только у Mean: {mean}. p {p}.",
        accuracy_difference=(
            "Настроение, Mean минус CLS: {difference}\u00a0п.\u00a0п. (от {low} до {high})."
        ),
        mae_difference="MAE, Mean минус CLS: {difference} (от {low} до {high}).",
        too_few=("Пока слишком мало оценок, чтобы судить: {answers}, а нужно хотя бы {enough}."),
        too_few_users="Пока слишком мало тех, кто оценивал: {users}, а нужно хотя бы {enough}.",
        alike="Ни у одной модели не видно преимущества: разница не больше случайной.",
        better_at_both="{model} лучше: вернее и в настроении, и в оценке.",
        better_at_sentiment="{model} лучше угадывает настроение, в оценке разницы не видно.",
        better_at_rating="{model} точнее в оценке, в настроении разницы не видно.",
        split="{sentiment_model} лучше угадывает настроение, {rating_model} точнее в оценке.",
        volunteered="Оценили сами: {count}. {cls}; {mean}.",
        asked="Оценили по просьбе: {count}. {cls}; {mean}.",
        bias="Сами оценивают не все и не всё: по этим оценкам точность смещена.",
        versions="<b>Версии</b>",
        version="<code>{version}</code>: {count}. {cls}; {mean}.",
        accuracy_and_mae="{accuracy}, MAE {mae}",
        explained=(
            "Пределы — 95 % парного бутстрэпа по авторам, p — точный критерий Макнемара."
            " Калибровка (ECE) и MAE: чем меньше, тем лучше. Время UTC."
        ),
        short_date="%d.%m",
        short_time="%H:%M",
        chart_answers="Ответ {model}",
        chart_truth="Оценка автора",
        chart_bad="Плохо",
        chart_neutral="Нейтр.",
        chart_good="Хорошо",
        chart_accuracy="Точность",
        chart_mae="MAE оценки",
        chart_agreement="Согласие моделей",
        chart_sentiment="Настроение",
        chart_rating="Оценка",
        chart_same="совпало",
        chart_near="±1",
        chart_differ="разошлись",
        chart_no_answers="оценок нет",
        chart_hours="Точка кривой — сутки до неё. В клетках — отзывы и доля строки.",
        chart_days="Точка кривой — 7 дней до неё. В клетках — отзывы и доля строки.",
    )
)

ENGLISH_STATISTICS = StatisticsTexts(
    decimal=".",
    percent="{number}%",
    bad_span=(
        "I don't know that span. There are /stats 24h, /stats 7d, /stats 30d and /stats all;"
        " plain /stats is a week."
    ),
    title_24h="The models over a day",
    title_7d="The models over a week",
    title_30d="The models over 30 days",
    title_all="The models since the beginning",
    nothing="No reviews in that time. Try a longer one: /stats 30d or /stats all.",
    totals="Reviews: {reviews}, authors: {users}.\nRated: {answered} ({coverage}).",
    model="Model",
    sentiment_right="Accuracy",
    macro_f1="Macro F1",
    calibration="Calibration",
    rating_exact="Rating exact",
    rating_within_one="Rating ±1",
    rating_mae="Rating MAE",
    median="Median, ms",
    p95="p95, ms",
    agreement=(
        "The models agree: on the sentiment {sentiment}, on the rating {rating},"
        " within a point {within_one}."
    ),
    only_one_right="Sentiment right by CLS alone: {cls}, by Mean alone: {mean}. p {p}.",
    accuracy_difference="Sentiment, Mean less CLS: {difference} points ({low} to {high}).",
    mae_difference="MAE, Mean less CLS: {difference} ({low} to {high}).",
    too_few="Too few answers yet to judge: {answers}, and it takes {enough} at least.",
    too_few_users="Too few users have answered yet: {users}, and it takes {enough} at least.",
    alike="Neither model shows an advantage: the difference is no more than chance.",
    better_at_both="{model} is better, at the sentiment and at the rating.",
    better_at_sentiment="{model} is better at the sentiment; at the rating no difference shows.",
    better_at_rating="{model} is better at the rating; at the sentiment no difference shows.",
    split="{sentiment_model} is better at the sentiment, {rating_model} at the rating.",
    volunteered="Rated unasked: {count}. {cls}; {mean}.",
    asked="Rated when asked: {count}. {cls}; {mean}.",
    bias="Not everyone rates unasked, nor every review: those figures are biased.",
    versions="<b>Versions</b>",
    version="<code>{version}</code>: {count} – {cls}; {mean}.",
    accuracy_and_mae="{accuracy}, MAE\u00a0{mae}",
    explained=(
        "Limits are 95 %, by a paired bootstrap of users; p is exact McNemar's."
        " Of calibration (ECE) and MAE, less is better. Times are UTC."
    ),
    short_date="%d %b",
    short_time="%I %p",
    chart_answers="{model} answers",
    chart_truth="Author's rating",
    chart_bad="Bad",
    chart_neutral="Neutral",
    chart_good="Good",
    chart_accuracy="Accuracy",
    chart_mae="Rating MAE",
    chart_agreement="The models agree",
    chart_sentiment="Sentiment",
    chart_rating="Rating",
    chart_same="same",
    chart_near="within 1",
    chart_differ="apart",
    chart_no_answers="no ratings",
    chart_hours="Curve points: the day before it. Cells: reviews and share of row.",
    chart_days="Curve points: the 7 days before it. Cells: reviews and share of row.",
)


def statistics_texts_for(language_code: str | None) -> StatisticsTexts:
    """English for someone whose Telegram speaks English, Russian for everyone else."""
    english = (language_code or "").lower().startswith("en")
    return ENGLISH_STATISTICS if english else RUSSIAN_STATISTICS
