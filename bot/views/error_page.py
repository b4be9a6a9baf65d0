"""The exported page of error analysis: one HTML file that needs nothing but itself."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from bot.services.error_analysis import Analysis
from bot.services.statistics import share
from bot.texts.error_analysis import ErrorTexts
from bot.texts.texts import Texts
from bot.views.numbers import Numbers
from classifier.evaluation.figures import POOLING_NAMES
from classifier.labels import sentiment_of
from db.hard_reviews import CONFIDENCE_GROUPS, LENGTHS, Group, HardReview
from db.measures import confidence_of
from db.models import Prediction

_OPENING = 240  # characters of a long review that are seen without unfolding it
_LONGEST = 6000  # characters shown at all: the table has the whole text


@dataclass(frozen=True)
class _Figures:
    """One model's, in a row of a table."""

    accuracy: str
    width: float  # of its bar, in percent
    mae: str
    reviews: str


@dataclass(frozen=True)
class _Table:
    id: str
    title: str
    note: str
    rows: list[tuple[str, dict[str, _Figures]]]


def errors_page(analysis: Analysis, texts: Texts, said: ErrorTexts, numbers: Numbers) -> str:
    return _template().render(
        said=said,
        span=said.span(analysis.span.name),
        made=analysis.made.strftime("%Y-%m-%d %H:%M"),
        analysis=analysis,
        numbers=numbers,
        models=POOLING_NAMES,
        tables=_tables(analysis, texts, said, numbers),
        worst=[_example(hard, texts, said, numbers) for hard in analysis.worst],
        disagreed=[_example(hard, texts, said, numbers) for hard in analysis.disagreed],
    )


def _tables(analysis: Analysis, texts: Texts, said: ErrorTexts, numbers: Numbers) -> list[_Table]:
    agreement = (said.page_agree, said.page_ratings_differ, said.page_sentiments_differ)

    def table(name: str, title: str, label: Callable[[Any], str], note: str = "") -> _Table:
        rows: dict[Any, dict[str, _Figures]] = {}
        for group in analysis.groups[name]:
            rows.setdefault(group.key, {})[group.pooling] = _figures(group, numbers)
        return _Table(name, title, note, [(label(key), row) for key, row in rows.items()])

    return [
        table("length", said.page_by_length, lambda key: _length(key, said)),
        table("sentiment", said.page_by_sentiment, texts.sentiment),
        table(
            "confidence",
            said.page_by_confidence,
            lambda key: _confidence(key, numbers),
            said.page_confidence_note,
        ),
        table("disagreement", said.page_by_disagreement, agreement.__getitem__),
        table("version", said.page_by_version, str),
    ]


def _figures(group: Group, numbers: Numbers) -> _Figures:
    accuracy = group.right / group.answers
    return _Figures(
        accuracy=numbers.percent(accuracy),
        width=round(100 * accuracy, 1),
        mae=numbers.decimal(share(group.absolute_error, group.rated)),
        reviews=numbers.whole(group.answers),
    )


def _length(key: int, said: ErrorTexts) -> str:
    if key == 0:
        return said.page_up_to_length.format(end=LENGTHS[0])
    if key == len(LENGTHS):
        return said.page_from_length.format(begin=LENGTHS[-1])
    return said.page_between.format(begin=LENGTHS[key - 1], end=LENGTHS[key] - 1)


def _confidence(key: int, numbers: Numbers) -> str:
    begin, end = key / CONFIDENCE_GROUPS, (key + 1) / CONFIDENCE_GROUPS
    return f"{round(100 * begin)}–{numbers.percent(end)}"


def _example(hard: HardReview, texts: Texts, said: ErrorTexts, numbers: Numbers) -> dict[str, Any]:
    text = hard.review.text
    cut = len(text) if len(text) <= 2 * _OPENING else _OPENING
    return {
        "id": hard.review.id,
        "moment": hard.review.created_at.strftime("%Y-%m-%d %H:%M"),
        "source": hard.review.source,
        "version": hard.cls.model_version,
        "characters": numbers.whole(len(text)),
        "opening": text[:cut],
        "rest": text[cut:_LONGEST],
        "left_out": numbers.whole(len(text) - _LONGEST) if len(text) > _LONGEST else "",
        "given": hard.given,
        "asked": hard.asked,
        "sentiment": "–" if hard.given is None else texts.sentiment(sentiment_of(hard.given)),
        "answers": {
            row.pooling: _answer(row, hard.given, texts, said, numbers)
            for row in (hard.cls, hard.mean)
        },
    }


def _answer(
    row: Prediction, given: int | None, texts: Texts, said: ErrorTexts, numbers: Numbers
) -> dict[str, Any]:
    right = None if given is None else row.sentiment == sentiment_of(given)
    off = ""
    if given is not None and row.rating is not None:
        error = abs(row.rating - given)
        off = said.off.format(points=error) if error else said.exact
    return {
        "mark": {None: "", True: "✓", False: "✗"}[right],
        "sentiment": texts.sentiment(row.sentiment),
        "sure": said.page_sure.format(share=numbers.percent(confidence_of(row))),
        "rating": "–" if row.rating is None else row.rating,
        "off": off,
    }


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    file = Path(__file__).with_name("error_page.html.jinja")
    return environment.from_string(file.read_text("utf-8"))
