"""What /errors shows, and the page it exports; the rules are those of Texts.

Texts of the page (`page_…`) are plain: the page itself escapes them.
"""

from dataclasses import dataclass

from bot.texts.ru import typeset


@dataclass(frozen=True)
class ErrorTexts:
    bad_span: str
    worst_title: str
    disagreed_title: str
    span_24h: str
    span_7d: str
    span_30d: str
    span_all: str
    place: str  # {first} {last} {all}
    nothing_worst: str
    nothing_disagreed: str
    rated: str  # {rating} {sentiment}
    not_rated: str
    exact: str
    off: str  # {points}
    date: str  # as strftime takes it

    button_worst: str
    button_disagreed: str
    button_csv: str
    button_html: str
    toast_making: str
    toast_busy: str
    csv_caption: str
    zip_caption: str
    html_caption: str
    too_large: str

    page_language: str
    page_title: str
    page_span: str  # {span} {made}
    page_counts: str  # {reviews} {rated}
    page_by_length: str
    page_by_sentiment: str
    page_by_confidence: str
    page_by_disagreement: str
    page_by_version: str
    page_confidence_note: str
    page_accuracy: str
    page_mae: str
    page_reviews: str
    page_up_to_length: str  # {end}
    page_from_length: str  # {begin}
    page_between: str  # {begin} {end}
    page_agree: str
    page_ratings_differ: str
    page_sentiments_differ: str
    page_worst: str
    page_disagreed: str
    page_shown: str  # {shown} {all}
    page_no_answers: str
    page_nothing: str
    page_author: str
    page_model: str
    page_sentiment: str
    page_rating: str
    page_sure: str  # {share}
    page_read_on: str
    page_left_out: str  # {characters}
    page_asked: str
    page_characters: str  # {count}
    page_contents: str

    def span(self, name: str) -> str:
        return str(getattr(self, f"span_{name}"))


RUSSIAN_ERRORS = typeset(
    ErrorTexts(
        bad_span=(
            "Такого срока я не знаю. Можно /errors 24h, /errors 7d, /errors 30d или /errors all;"
            " просто /errors — за неделю."
        ),
        worst_title="Самые большие ошибки",
        disagreed_title="Где модели спорят",
        span_24h="за сутки",
        span_7d="за неделю",
        span_30d="за 30 дней",
        span_all="за всё время",
        place="{first}–{last} из {all}",
        nothing_worst=("Ошибок нет: или модели угадали всё, или никто ещё не поставил оценку."),
        nothing_disagreed="Модели во всём согласны.",
        rated="автор поставил {rating}, {sentiment}",
        not_rated="автор не оценил",
        exact="точно",
        off="мимо на {points}",
        date="%d.%m.%Y",
        button_worst="Ошибки",
        button_disagreed="Споры",
        button_csv="Таблица CSV",
        button_html="Страница HTML",
        toast_making="Готовлю файл…",
        toast_busy="Один файл уже готовлю, подождите немного.",
        csv_caption="Все отзывы {span} с ответами обеих моделей: {reviews}. UTF-8, через запятую.",
        zip_caption="Все отзывы {span}: {reviews}. Таблица велика, поэтому в архиве.",
        html_caption="Разбор ошибок {span}: откройте в браузере.",
        too_large="Файл вышел больше, чем принимает Telegram. Возьмите срок короче: /errors 30d.",
        page_language="ru",
        page_title="Где ошибаются модели",
        page_span="Отзывы {span}, собрано {made} UTC",
        page_counts="Отзывов: {reviews}, из них оценены автором: {rated}",
        page_by_length="По длине отзыва",
        page_by_sentiment="По настроению автора",
        page_by_confidence="По уверенности модели",
        page_by_disagreement="По согласию моделей",
        page_by_version="По версии моделей",
        page_confidence_note=(
            "Уверенность честна, если верных ответов столько же: при 70–80 % — около 75 %."
        ),
        page_accuracy="Настроение верно",
        page_mae="MAE оценки",
        page_reviews="Отзывов",
        page_up_to_length="до {end} знаков",
        page_from_length="от {begin} знаков",
        page_between="{begin}–{end}",
        page_agree="согласны",
        page_ratings_differ="оценки расходятся больше чем на балл",
        page_sentiments_differ="разное настроение",
        page_worst="Самые большие ошибки",
        page_disagreed="Где модели спорят",
        page_shown="Показано {shown} из {all}; все отзывы есть в таблице CSV.",
        page_no_answers="Оценок от авторов за это время нет.",
        page_nothing="Таких отзывов нет.",
        page_author="Автор",
        page_model="Модель",
        page_sentiment="Настроение",
        page_rating="Оценка",
        page_sure="{share} уверенности",
        page_read_on="… читать дальше",
        page_left_out="(и ещё {characters} знаков)",
        page_asked="по просьбе",
        page_characters="{count} знаков",
        page_contents="Содержание",
    )
)

ENGLISH_ERRORS = ErrorTexts(
    bad_span=(
        "I don't know that span. There are /errors 24h, /errors 7d, /errors 30d and /errors all;"
        " plain /errors is a week."
    ),
    worst_title="The largest errors",
    disagreed_title="Where the models differ",
    span_24h="of a day",
    span_7d="of a week",
    span_30d="of 30 days",
    span_all="of all time",
    place="{first}–{last} of {all}",
    nothing_worst="No errors: either the models were right, or nobody has rated yet.",
    nothing_disagreed="The models agree on everything.",
    rated="rated {rating} by the author, {sentiment}",
    not_rated="not rated by the author",
    exact="exact",
    off="off by {points}",
    date="%d %b %Y",
    button_worst="Errors",
    button_disagreed="Differences",
    button_csv="CSV table",
    button_html="HTML page",
    toast_making="Making the file…",
    toast_busy="One file is being made already, please wait a moment.",
    csv_caption="All reviews {span} with both models' answers: {reviews}. UTF-8, with commas.",
    zip_caption="All reviews {span}: {reviews}. The table is large, so it is zipped.",
    html_caption="The errors {span}, for a browser.",
    too_large="The file is larger than Telegram takes. Choose a shorter span: /errors 30d.",
    page_language="en",
    page_title="Where the models are wrong",
    page_span="Reviews {span}, collected {made} UTC",
    page_counts="Reviews: {reviews}, rated by their authors: {rated}",
    page_by_length="By length of the review",
    page_by_sentiment="By the author's sentiment",
    page_by_confidence="By the model's confidence",
    page_by_disagreement="By the models' agreement",
    page_by_version="By the models' version",
    page_confidence_note=(
        "Confidence is honest where as many answers are right: at 70–80%, about 75%."
    ),
    page_accuracy="Sentiment right",
    page_mae="Rating MAE",
    page_reviews="Reviews",
    page_up_to_length="under {end} characters",
    page_from_length="{begin} characters or more",
    page_between="{begin} to {end}",
    page_agree="they agree",
    page_ratings_differ="ratings more than a point apart",
    page_sentiments_differ="different sentiments",
    page_worst="The largest errors",
    page_disagreed="Where the models differ most",
    page_shown="{shown} of {all} are shown; the CSV table has all reviews.",
    page_no_answers="No ratings by authors in this time.",
    page_nothing="There are no such reviews.",
    page_author="Author",
    page_model="Model",
    page_sentiment="Sentiment",
    page_rating="Rating",
    page_sure="{share} sure",
    page_read_on="… read on",
    page_left_out="({characters} more characters)",
    page_asked="when asked",
    page_characters="{count} characters",
    page_contents="Contents",
)


def error_texts_for(language_code: str | None) -> ErrorTexts:
    """English for someone whose Telegram speaks English, Russian for everyone else."""
    return ENGLISH_ERRORS if (language_code or "").lower().startswith("en") else RUSSIAN_ERRORS
