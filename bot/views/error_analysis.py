"""The pages of /errors in the chat, and what its buttons send."""

import re
from dataclasses import dataclass
from html import escape

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.services import periods
from bot.services.error_analysis import PAGE, Page
from bot.services.judging import Kind
from bot.texts import error_analysis as phrases
from bot.texts.locale import Locale, Phrase
from bot.texts.terms import FACES, SENTIMENTS, SPANS
from classifier.evaluation.figures import POOLING_NAMES
from classifier.labels import sentiment_of
from db.hard_reviews import HardReview, Order
from db.measures import confidence_of
from db.models import Prediction

TAPS = r"e:(?:[wd]:\w{2,3}:\d{1,6}|(?:csv|html):\w{2,3})"
_TAP = re.compile(r"e:(?P<what>w|d|csv|html):(?P<span>\w+)(?::(?P<page>\d+))?")
_LONGEST = 800  # characters of a review: three must fit into a message


@dataclass(frozen=True)
class AnalysisTap:
    span: periods.Span
    order: Order | None  # None: a file
    page: int
    file: str  # "csv" or "html"; "" for a page


def analysis_tap(data: str) -> AnalysisTap | None:
    """What a tap asks for; None if its span is unknown."""
    match = _TAP.fullmatch(data)
    if match is None or match["span"] not in periods.SPANS:
        return None
    span = periods.SPANS[match["span"]]
    if match["page"] is None:
        return AnalysisTap(span, None, 0, match["what"])
    return AnalysisTap(span, Order(match["what"]), int(match["page"]), "")


def analysis_keyboard(page: Page, locale: Locale) -> InlineKeyboardMarkup:
    def to(label: str, order: Order, number: int) -> InlineKeyboardButton:
        data = f"e:{order.value}:{page.span.name}:{number}"
        return InlineKeyboardButton(label, callback_data=data)

    turning = [to("‹", page.order, page.number - 1)] if page.number > 0 else []
    turning += [to("›", page.order, page.number + 1)] if page.number < page.last else []
    files = [
        InlineKeyboardButton(locale(label), callback_data=f"e:{kind}:{page.span.name}")
        for kind, label in (("csv", phrases.BUTTON_CSV), ("html", phrases.BUTTON_HTML))
    ]
    rows = (turning, *tabs(page.order, page.span, locale), files)
    return InlineKeyboardMarkup([row for row in rows if row])


def tabs(
    shown: Order | Kind, span: periods.Span, locale: Locale
) -> list[list[InlineKeyboardButton]]:
    """The lists of /errors, the one that is shown ticked; two in a row fit a phone."""

    def tab(of: Order | Kind, label: Phrase, data: str) -> InlineKeyboardButton:
        mark = "✓ " if of is shown else ""
        return InlineKeyboardButton(mark + locale(label), callback_data=f"{data}:{span.name}:0")

    return [
        [
            tab(Order.WORST, phrases.BUTTON_WORST, "e:w"),
            tab(Order.DISAGREED, phrases.BUTTON_DISAGREED, "e:d"),
        ],
        [
            tab(Kind.DOUBTFUL, phrases.BUTTON_DOUBTFUL, "j:l:s"),
            tab(Kind.JUDGED, phrases.BUTTON_JUDGED, "j:l:j"),
        ],
    ]


def analysis_message(page: Page, locale: Locale) -> str:
    worst = page.order is Order.WORST
    title = locale(phrases.WORST_TITLE if worst else phrases.DISAGREED_TITLE)
    head = f"<b>{title}</b> {locale(SPANS[page.span.name])}"
    if not page.reviews:
        return f"{head}\n\n{locale(phrases.NOTHING_WORST if worst else phrases.NOTHING_DISAGREED)}"
    first = PAGE * page.number + 1
    place = locale(phrases.PLACE, first=first, last=first + len(page.reviews) - 1, all=page.count)
    blocks = [review_block(hard, locale, _LONGEST) for hard in page.reviews]
    return "\n\n".join([f"{head}\n{place}", *blocks])


def review_block(hard: HardReview, locale: Locale, longest: int) -> str:
    """A review with both answers, up to so many characters of it."""
    given = locale(phrases.NOT_RATED)
    if hard.given is not None:
        sentiment = locale(SENTIMENTS[sentiment_of(hard.given)]).lower()
        given = locale(phrases.RATED, rating=hard.given, sentiment=sentiment)
    if hard.cls.in_short:
        given += f", {locale(phrases.READ_IN_SHORT)}"
    text = hard.review.text
    shown = text if len(text) <= longest else text[:longest].rstrip() + "…"
    lines = [
        f"<b>{locale.date(hard.review.created_at)}</b>, {given}",
        *(_predicted(row, hard.given, locale) for row in (hard.cls, hard.mean)),
        f"<blockquote expandable>{escape(shown)}</blockquote>",
    ]
    return "\n".join(lines)


def _predicted(row: Prediction, given: int | None, locale: Locale) -> str:
    line = (
        f"{POOLING_NAMES[row.pooling]} {FACES[row.sentiment]} {locale(SENTIMENTS[row.sentiment])}"
        f" {locale.confidence(confidence_of(row))}"
    )
    if row.rating is not None:
        line += f" · {row.rating}"
        if given is not None:
            line += f", {how_far_off(row.rating, given, locale)}"
    return line


def how_far_off(rating: int, given: int, locale: Locale) -> str:
    """How far a predicted rating is from the one that the author gave."""
    error = abs(rating - given)
    return locale(phrases.OFF, points=error) if error else locale(phrases.EXACT)
