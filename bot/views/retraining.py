"""The messages about a retraining: how it goes, and how it ended, with the gate's figures."""

from collections.abc import Sequence
from functools import partial
from html import escape
from typing import Any

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.services.raters import StoodOut
from bot.services.training_process import Progress
from bot.texts import retraining as phrases
from bot.texts.locale import Locale
from bot.texts.terms import SENTIMENTS as SENTIMENT_NAMES
from classifier.evaluation.figures import POOLING_NAMES
from classifier.evaluation.limits import LIMITS
from classifier.labels import SENTIMENTS
from db.models import TrainingRun

_BAR = 12  # characters
_PERSONS = 10  # named in a message
_AT_MOST = ("calibration", "speed")


def progress_message(progress: Progress, locale: Locale) -> str:
    return locale(phrases.PROGRESS, **progress_values(progress, locale))


def progress_values(progress: Progress, locale: Locale) -> dict[str, object]:
    """What a phrase about the progress of a training names, a bar among it."""
    filled = round(_BAR * progress.share)
    minutes = max(1, round(progress.seconds_left / 60))
    return {
        "epoch": progress.epoch,
        "epochs": progress.epochs,
        "bar": "▰" * filled + "▱" * (_BAR - filled),
        "share": round(100 * progress.share),
        "left": locale(phrases.MINUTES, minutes=minutes),
    }


def cancel_keyboard(run_id: int, locale: Locale) -> InlineKeyboardMarkup:
    cancel = InlineKeyboardButton(locale(phrases.CANCEL), callback_data=f"t:cancel:{run_id}")
    return InlineKeyboardMarkup.from_button(cancel)


def ending_message(run: TrainingRun, locale: Locale, stood_out: Sequence[StoodOut] = ()) -> str:
    """How a run ended; if the gate judged it, with each figure and its limit; who stood out."""
    version, reason = escape(run.version or ""), escape(run.reason or "")
    sentence = locale(phrases.ENDINGS[run.status], version=version, reason=reason)
    blocks = [sentence]
    if run.figures is not None:
        blocks += _figures(run.figures, locale)
    if stood_out:
        blocks.append(_persons(stood_out, locale))
    if run.figures is not None and run.status == "promoted":
        blocks.append(locale(phrases.BACK))
    return "\n\n".join(blocks)


def _persons(stood_out: Sequence[StoodOut], locale: Locale) -> str:
    """Those who stood out, a line each, and how many more there are."""
    lines = [locale(phrases.STOOD_OUT)]
    for one in stood_out[:_PERSONS]:
        phrase = phrases.CONTRADICTS if one.is_left_out else phrases.RATES_MOST
        lines.append(
            locale(
                phrase,
                reviews=", ".join(map(str, one.reviews)),
                ratings=one.ratings,
                contradicting=one.contradicting,
                share=locale.percent(one.share),
            )
        )
    if more := len(stood_out) - _PERSONS:
        lines += [locale(phrases.MORE_PERSONS, persons=more)] * (more > 0)
    return "\n".join(lines)


def decision_message(run: TrainingRun, locale: Locale) -> str:
    """What the gate decided, and when, about a run whose decision is stored."""
    assert run.figures is not None
    sentence = phrases.DECIDED_PROMOTED if run.status == "promoted" else phrases.DECIDED_REFUSED
    version, champion = escape(run.version or ""), escape(run.figures["champion"])
    date = f"{locale.moment(run.finished_at or run.started_at)} UTC"
    heading = locale(sentence, version=version, champion=champion, date=date)
    return "\n\n".join([heading, *_figures(run.figures, locale)])


def is_drawable(run: TrainingRun) -> bool:
    """Whether there is a decision with figures that a chart can show."""
    return bool(run.figures and run.figures["figures"].get("holdout"))


def _figures(decision: dict[str, Any], locale: Locale) -> list[str]:
    rows = locale(
        phrases.ROWS,
        holdout=decision["holdout_rows"],
        rated=decision["rated_rows"],
        persons=decision.get("rated_persons", "–"),  # not in decisions of earlier programs
    )
    if not any(check["name"] == "feedback" for check in decision["checks"]):
        fewest = {"reviews": LIMITS.fewest_rated, "persons": LIMITS.fewest_persons}
        rows += " " + locale(phrases.TOO_FEW_RATED, **fewest)
    return [rows, "\n".join(_check(check, locale) for check in decision["checks"])]


def _check(check: dict[str, Any], locale: Locale) -> str:
    sentiment = ""
    if check["sentiment"] is not None:
        sentiment = locale(SENTIMENT_NAMES[SENTIMENTS.index(check["sentiment"])])

    bound, written = phrases.AT_LEAST, partial(locale.signed, places=3)
    if check["name"] in _AT_MOST:
        bound, written = phrases.AT_MOST, partial(locale.decimal)
    return locale(
        phrases.CHECK,
        mark="✓" if check["passed"] else "✗",
        model=POOLING_NAMES[check["pooling"]],
        what=locale(phrases.CHECKS[check["name"]], sentiment=sentiment, tokens=LIMITS.in_short),
        value=written(check["value"]),
        limit=locale(bound, limit=written(check["limit"])),
    )
