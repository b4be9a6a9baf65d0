"""Why the models answered so, as a message."""

from html import escape

from bot.texts import reasons as phrases
from bot.texts.locale import Locale
from classifier.evaluation.figures import POOLING_NAMES
from classifier.explanation.quoting import quoted
from classifier.explanation.reasons import Explanation, Pull, Reasons
from classifier.reports.why import Words

_QUOTED = 90  # characters of a sentence: two lines on a phone
_QUOTED_AGAIN = 40


def reasons_message(explanation: Explanation, locale: Locale) -> str:
    """What pulls each model's rating up and down, and whether both rest on the same."""
    is_of_words = explanation.units.kind == "words"
    blocks = [locale(phrases.TITLE_WORDS if is_of_words else phrases.TITLE)]
    for pooling, reasons in explanation.by_model.items():
        heading = f"<b>{POOLING_NAMES[pooling]}</b>"
        blocks.append("\n".join([heading, *_of_model(reasons, locale)]))
    if explanation.differ:
        rest_on = {
            pooling: _quoted(reasons.decisive, _QUOTED_AGAIN)
            for pooling, reasons in explanation.by_model.items()
            if reasons.decisive
        }
        blocks.append(locale(phrases.DIFFER, **rest_on))
    return "\n\n".join(blocks)


def words_of_pages(locale: Locale) -> Words:
    """What a page says of the same, as plain text."""
    return Words(
        title=locale(phrases.PAGE_TITLE),
        title_words=locale(phrases.PAGE_TITLE_WORDS),
        rests_on=locale(phrases.PAGE_RESTS_ON),
        nothing=locale(phrases.NOTHING),
        differ=locale(phrases.PAGE_DIFFER),
        points=lambda pull: locale.signed(pull, 1),
    )


def _of_model(reasons: Reasons, locale: Locale) -> list[str]:
    lines = [
        locale(
            phrases.UP if pull.rating > 0 else phrases.DOWN,
            points=locale.signed(pull.rating, 1),
            text=_quoted(pull),
        )
        for pull in reasons.shown
    ]
    if reasons.rests_on is not None:
        lines.append(locale(phrases.RESTS_ON, text=_quoted(reasons.rests_on)))
    return lines or [locale(phrases.NOTHING)]


def _quoted(pull: Pull, most: int = _QUOTED) -> str:
    return escape(quoted(pull.text, most))
