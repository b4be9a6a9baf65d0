"""The message that shows how the first training goes, and the one that says that it is over."""

from collections.abc import Mapping
from html import escape
from typing import Any

from bot.services.first_training import Account, Epoch
from bot.texts import first_training as phrases
from bot.texts.locale import Locale
from bot.views.retraining import progress_values
from bot.views.versions import figures_line
from classifier.evaluation.figures import POOLING_NAMES, POOLING_TITLES

_SHOWN = 12
"""Epochs at most: the last ones. A message has 4,096 characters."""

_NAMES = {POOLING_TITLES[pooling]: name for pooling, name in POOLING_NAMES.items()}


def account_message(account: Account, locale: Locale) -> str:
    """How it goes: the progress, each epoch's figures, or why it has failed."""
    epochs = "\n".join(_epoch(epoch, locale) for epoch in account.epochs[-_SHOWN:])
    if account.over.is_set():
        first = [locale(phrases.OVER)]
    elif account.failure is not None:
        reason, minutes = escape(account.failure.reason), account.failure.minutes
        first = [locale(phrases.FAILED, reason=reason, minutes=minutes)]
    else:
        progress = locale(phrases.PREPARING)
        if account.progress is not None:
            progress = locale(phrases.PROGRESS, **progress_values(account.progress, locale))
        first = [locale(phrases.BEGUN, minutes=account.minutes), progress]
    return "\n\n".join([*first, *([epochs] if epochs else [])])


def ready_message(figures: Mapping[str, dict[str, Any]], locale: Locale) -> str:
    """That they answer, with the figures of each on its holdout as far as they are known."""
    lines = [figures_line(pooling, of_model, locale) for pooling, of_model in figures.items()]
    heading = [locale(phrases.ON_HOLDOUT)] if lines else []
    return "\n".join([locale(phrases.READY), *heading, *lines])


def _epoch(epoch: Epoch, locale: Locale) -> str:
    figures, number = epoch.figures, round(epoch.figures["epoch"])
    return locale(
        phrases.EPOCH,
        model=_NAMES[epoch.training],
        epoch=number,
        loss=locale.decimal(figures["train_loss"]),
        accuracy=locale.percent(figures["train_accuracy"]),
        new_loss=locale.decimal(figures["validation_loss"]),
        new_accuracy=locale.percent(figures["validation_accuracy"]),
    )
