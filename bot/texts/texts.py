"""What the bot can say: a field a text, so that a language can't leave one out.

Messages are HTML as Telegram reads it. Toasts (`toast_…`), buttons and the menu (`menu_…`) are
plain text: Telegram shows no HTML there.
"""

from collections.abc import Callable
from dataclasses import dataclass

from bot.services.checking import Problem

Counted = Callable[[int], str]
"""A number with its noun: «1 отзыв», «2 отзыва», «5 отзывов»."""


@dataclass(frozen=True)
class Texts:
    # --- commands
    start: str
    help: str
    help_group: str
    hello_group: str
    privacy: str
    history_title: str
    history_empty: str
    history_review: str  # {date} {text} {predictions} {rating}
    history_your_rating: str  # {rating}
    history_no_rating: str
    date: str  # as strftime takes it
    export_caption: str
    forget_question: str
    forget_yes: str
    forget_no: str
    forgotten: str  # {reviews} {ratings}
    forgotten_nothing: str
    kept: str
    rate_explained: str
    rate_explained_private: str
    rate_anonymous: str
    unknown_command: str
    private_only: str

    # --- the answer to a review
    bad: str
    neutral: str
    good: str
    sentiment_line: str  # {model} {face} {sentiment} {share}
    rating_line: str  # {stars} {rating} {share}
    agree: str
    sentiments_differ: str  # {cls} {mean}
    ratings_differ: str  # {cls} {mean}
    ask_rating: str
    please_rate: str  # instead of it, to a random few
    your_rating: str  # {rating}
    reviews: Counted
    ratings: Counted
    messages: Counted

    # --- what is no review, and what to do instead
    too_short: str
    only_rating: str
    only_links: str
    only_symbols: str
    not_russian: str
    too_long: str
    document_too_large: str
    document_unreadable: str
    document_kind: str
    channel_post: str
    picture: str
    voice: str
    sticker: str
    other_kind: str
    edited_in_parts: str

    # --- too much, and trouble
    too_many: str  # {messages}
    busy: str
    failed: str

    # --- toasts
    toast_rated: str  # {rating}
    toast_gone: str
    toast_not_yours: str
    toast_old_button: str
    toast_already_forgotten: str

    # --- the menu of commands
    menu_start: str
    menu_help: str
    menu_history: str
    menu_privacy: str
    menu_export: str
    menu_forget: str
    menu_rate: str

    def sentiment(self, index: int) -> str:
        """The name of a sentiment: 0 Bad, 1 Neutral, 2 Good."""
        return (self.bad, self.neutral, self.good)[index]

    def problem(self, problem: Problem) -> str:
        """What is wrong with a text, and what to send instead."""
        said = {
            Problem.TOO_SHORT: self.too_short,
            Problem.ONLY_RATING: self.only_rating,
            Problem.ONLY_LINKS: self.only_links,
            Problem.ONLY_SYMBOLS: self.only_symbols,
            Problem.NOT_RUSSIAN: self.not_russian,
            Problem.TOO_LONG: self.too_long,
            Problem.BUSY: self.busy,
        }
        return said[problem]
