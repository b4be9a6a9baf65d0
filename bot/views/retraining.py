"""The messages about a retraining: how it goes, and how it ended, with the gate's figures."""

from html import escape
from typing import Any

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.services.training_process import Progress
from bot.texts.retraining import RetrainingTexts
from bot.texts.texts import Texts
from classifier.evaluation.figures import POOLING_NAMES
from classifier.labels import SENTIMENTS
from db.models import TrainingRun

_BAR = 12  # characters
_AT_MOST = ("calibration", "speed")


def progress_message(progress: Progress, said: RetrainingTexts) -> str:
    filled = round(_BAR * progress.share)
    minutes = max(1, round(progress.seconds_left / 60))
    return said.progress.format(
        epoch=progress.epoch,
        epochs=progress.epochs,
        bar="▰" * filled + "▱" * (_BAR - filled),
        share=round(100 * progress.share),
        left=said.minutes.format(minutes=minutes),
    )


def cancel_keyboard(run_id: int, said: RetrainingTexts) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(
        [[InlineKeyboardButton(said.cancel, callback_data=f"t:cancel:{run_id}")]]
    )


def ending_message(run: TrainingRun, texts: Texts, said: RetrainingTexts) -> str:
    """How a run ended; one that came before the gate with each figure and its limit."""
    sentence: str = getattr(said, run.status).format(
        version=escape(run.version or ""), reason=escape(run.reason or "")
    )
    if run.figures is None:
        return sentence
    blocks = [sentence, *_figures(run.figures, texts, said)]
    return "\n\n".join([*blocks, said.back] if run.status == "promoted" else blocks)


def decision_message(run: TrainingRun, texts: Texts, said: RetrainingTexts) -> str:
    """What was decided when, of a run that has a decision stored."""
    assert run.figures is not None
    sentence = said.decided_promoted if run.status == "promoted" else said.decided_refused
    heading = sentence.format(
        version=escape(run.version or ""),
        champion=escape(run.figures["champion"]),
        date=f"{run.finished_at or run.started_at:%Y-%m-%d %H:%M} UTC",
    )
    return "\n\n".join([heading, *_figures(run.figures, texts, said)])


def is_drawable(run: TrainingRun) -> bool:
    """Whether there is a decision with figures that a chart can show."""
    return bool(run.figures and run.figures["figures"].get("holdout"))


def _figures(decision: dict[str, Any], texts: Texts, said: RetrainingTexts) -> list[str]:
    rows = said.rows.format(holdout=decision["holdout_rows"], rated=decision["rated_rows"])
    return [rows, "\n".join(_check(check, texts, said) for check in decision["checks"])]


def _check(check: dict[str, Any], texts: Texts, said: RetrainingTexts) -> str:
    what = getattr(said, check["name"])
    if check["sentiment"] is not None:
        what = what.format(sentiment=texts.sentiment(SENTIMENTS.index(check["sentiment"])))
    plain = check["name"] in _AT_MOST
    limit = (said.at_most if plain else said.at_least).format(
        limit=_number(check["limit"], plain, said)
    )
    return said.check.format(
        mark="✓" if check["passed"] else "✗",
        model=POOLING_NAMES[check["pooling"]],
        what=what,
        value=_number(check["value"], plain, said),
        limit=limit,
    )


def _number(figure: float, plain: bool, said: RetrainingTexts) -> str:
    text = f"{figure:.2f}" if plain else f"{round(figure, 3) + 0.0:+.3f}"
    return text.replace("-", "−").replace(".", said.decimal_point)
