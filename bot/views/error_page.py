"""The exported page of error analysis: one HTML file that needs nothing but itself."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from bot.services.error_analysis import EXPLAINED, Analysis
from bot.texts import error_analysis as phrases
from bot.texts import terms
from bot.texts.locale import Locale, Phrase
from bot.views.error_analysis import how_far_off
from bot.views.reasons import words_of_pages
from classifier.explanation.reasons import Explanation
from classifier.labels import sentiment_of
from classifier.reports.templates import fold, template
from classifier.reports.why import Why, why
from db.hard_reviews import CONFIDENCE_GROUPS, LENGTHS, Group, HardReview
from db.measures import confidence_of
from db.models import Prediction


def errors_page(analysis: Analysis, reasons: dict[int, Explanation], locale: Locale) -> str:
    """The page in one language, which escapes whatever users wrote.

    `reasons`: why the models answered so, by the ids of some of the reviews.
    """
    words = words_of_pages(locale)
    whys = {review: why(explanation, words) for review, explanation in reasons.items()}
    tables = _tables(analysis, locale)
    return template(Path(__file__).with_name("error_page.html.jinja")).render(
        locale=locale,
        phrases=phrases,
        terms=terms,
        span=locale(terms.SPANS[analysis.span.name]),
        made=locale.moment(analysis.made),
        analysis=analysis,
        most_explained=EXPLAINED,
        tables=tables,
        sections=[
            *((table["id"], table["title"]) for table in tables),
            ("worst", locale(phrases.WORST_TITLE)),
            ("disagreed", locale(phrases.DISAGREED_TITLE)),
        ],
        worst=[_example(hard, whys, locale) for hard in analysis.worst.reviews],
        disagreed=[_example(hard, whys, locale) for hard in analysis.disagreed.reviews],
    )


def _tables(analysis: Analysis, locale: Locale) -> list[dict[str, Any]]:
    """The groups of both models by their labels, a table for each way to group."""
    agreement = (phrases.PAGE_AGREE, phrases.PAGE_RATINGS_DIFFER, phrases.PAGE_SENTIMENTS_DIFFER)
    reading = (phrases.PAGE_IN_WHOLE, phrases.PAGE_IN_SHORT)
    note = locale(phrases.PAGE_CONFIDENCE_NOTE)

    def table(
        name: str, title: Phrase, label: Callable[[Any], str], note: str = ""
    ) -> dict[str, Any]:
        rows: dict[str, list[Group]] = {}
        for group in analysis.groups[name]:
            rows.setdefault(label(group.key), []).append(group)
        return {"id": name, "title": locale(title), "note": note, "rows": rows}

    return [
        table("length", phrases.PAGE_BY_LENGTH, lambda key: _length(key, locale)),
        table("sentiment", phrases.PAGE_BY_SENTIMENT, lambda key: locale(terms.SENTIMENTS[key])),
        table("confidence", phrases.PAGE_BY_CONFIDENCE, lambda key: _confidence(key, locale), note),
        table("disagreement", phrases.PAGE_BY_DISAGREEMENT, lambda key: locale(agreement[key])),
        table("reading", phrases.PAGE_BY_READING, lambda key: locale(reading[key])),
        table("version", phrases.PAGE_BY_VERSION, str),
    ]


def _length(key: int, locale: Locale) -> str:
    if key == 0:
        return locale(phrases.PAGE_UP_TO_LENGTH, end=LENGTHS[0])
    if key == len(LENGTHS):
        return locale(phrases.PAGE_FROM_LENGTH, begin=LENGTHS[-1])
    return locale(phrases.PAGE_BETWEEN, begin=LENGTHS[key - 1], end=LENGTHS[key] - 1)


def _confidence(key: int, locale: Locale) -> str:
    begin, end = key / CONFIDENCE_GROUPS, (key + 1) / CONFIDENCE_GROUPS
    return f"{round(100 * begin)}–{locale.percent(end)}"


def _example(hard: HardReview, whys: dict[int, Why], locale: Locale) -> dict[str, Any]:
    text, sentiment = fold(hard.review.text), "–"
    if hard.given is not None:
        sentiment = locale(terms.SENTIMENTS[sentiment_of(hard.given)])
    return {
        "id": hard.review.id,
        "moment": locale.moment(hard.review.created_at),
        "source": locale(phrases.PAGE_SOURCES[hard.review.source]),
        "version": hard.cls.model_version,
        "characters": len(hard.review.text),
        "text": text,
        "left_out": text.left_out,
        "given": hard.given,
        "asked": hard.asked,
        "sentiment": sentiment,
        "why": whys.get(hard.review.id),
        "answers": {row.pooling: _answer(row, hard.given, locale) for row in (hard.cls, hard.mean)},
    }


def _answer(row: Prediction, given: int | None, locale: Locale) -> dict[str, Any]:
    right = None if given is None else row.sentiment == sentiment_of(given)
    off = ""
    if given is not None and row.rating is not None:
        off = how_far_off(row.rating, given, locale)
    return {
        "mark": {None: "", True: "✓", False: "✗"}[right],
        "sentiment": locale(terms.SENTIMENTS[row.sentiment]),
        "sure": locale(phrases.PAGE_SURE, share=locale.confidence(confidence_of(row))),
        "rating": "–" if row.rating is None else row.rating,
        "off": off,
    }
