"""The pages of /errors in the chat, and what its buttons send."""

import re
from dataclasses import dataclass
from html import escape

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.services.error_analysis import PAGE, Page
from bot.services.periods import SPANS, Span
from bot.texts.error_analysis import ErrorTexts
from bot.texts.texts import Texts
from bot.views.numbers import Numbers
from bot.views.review_answer import FACES
from classifier.evaluation.figures import POOLING_NAMES
from classifier.labels import sentiment_of
from db.hard_reviews import HardReview, Order
from db.measures import confidence_of
from db.models import Prediction

TAPS = r"e:(?:[wd]:\w{2,3}:\d{1,6}|(?:csv|html):\w{2,3})"
_TAP = re.compile(r"e:(?P<what>w|d|csv|html):(?P<span>\w+)(?::(?P<page>\d+))?")
_LONGEST = 800  # characters of a review: three must fit into a message


@dataclass(frozen=True)
class ErrorsTap:
    span: Span
    order: Order | None  # None: a file
    page: int
    file: str  # "csv" or "html"; "" for a page


def errors_tap(data: str) -> ErrorsTap | None:
    """What a tap asks for; None for a span that there is no more."""
    match = _TAP.fullmatch(data)
    if match is None or match["span"] not in SPANS:
        return None
    span = SPANS[match["span"]]
    if match["page"] is None:
        return ErrorsTap(span, None, 0, match["what"])
    return ErrorsTap(span, Order(match["what"]), int(match["page"]), "")


def errors_keyboard(page: Page, said: ErrorTexts) -> InlineKeyboardMarkup:
    def to(label: str, order: Order, number: int) -> InlineKeyboardButton:
        data = f"e:{order.value}:{page.span.name}:{number}"
        return InlineKeyboardButton(label, callback_data=data)

    turning = []
    if page.number > 0:
        turning.append(to("‹", page.order, page.number - 1))
    if page.number < page.last:
        turning.append(to("›", page.order, page.number + 1))
    labels = {Order.WORST: said.button_worst, Order.DISAGREED: said.button_disagreed}
    orders = [
        to(f"✓ {label}" if order is page.order else label, order, 0)
        for order, label in labels.items()
    ]
    files = [
        InlineKeyboardButton(label, callback_data=f"e:{kind}:{page.span.name}")
        for kind, label in (("csv", said.button_csv), ("html", said.button_html))
    ]
    return InlineKeyboardMarkup([row for row in (turning, orders, files) if row])


def errors_message(page: Page, texts: Texts, said: ErrorTexts, numbers: Numbers) -> str:
    worst = page.order is Order.WORST
    title = said.worst_title if worst else said.disagreed_title
    head = f"<b>{title}</b> {said.span(page.span.name)}"
    if not page.reviews:
        return f"{head}\n\n{said.nothing_worst if worst else said.nothing_disagreed}"
    first = PAGE * page.number + 1
    place = said.place.format(
        first=numbers.whole(first),
        last=numbers.whole(first + len(page.reviews) - 1),
        all=numbers.whole(page.count),
    )
    blocks = [_review(hard, texts, said, numbers) for hard in page.reviews]
    return "\n\n".join([f"{head}\n{place}", *blocks])


def _review(hard: HardReview, texts: Texts, said: ErrorTexts, numbers: Numbers) -> str:
    given = said.not_rated
    if hard.given is not None:
        sentiment = texts.sentiment(sentiment_of(hard.given)).lower()
        given = said.rated.format(rating=hard.given, sentiment=sentiment)
    text = hard.review.text
    shown = text if len(text) <= _LONGEST else text[:_LONGEST].rstrip() + "…"
    lines = [
        f"<b>{hard.review.created_at.strftime(said.date)}</b>, {given}",
        *(_said(row, hard.given, texts, said, numbers) for row in (hard.cls, hard.mean)),
        f"<blockquote expandable>{escape(shown)}</blockquote>",
    ]
    return "\n".join(lines)


def _said(
    row: Prediction, given: int | None, texts: Texts, said: ErrorTexts, numbers: Numbers
) -> str:
    line = (
        f"{POOLING_NAMES[row.pooling]} {FACES[row.sentiment]} {texts.sentiment(row.sentiment)}"
        f" {numbers.percent(confidence_of(row))}"
    )
    if row.rating is not None:
        line += f" · {row.rating}"
        if given is not None:
            error = abs(row.rating - given)
            line += f", {said.off.format(points=error) if error else said.exact}"
    return line
