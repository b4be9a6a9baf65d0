"""The messages of /models, made of the versions there are, and their buttons."""

from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import Any

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.services.versions import ModelVersion, Versions
from bot.texts import versions as phrases
from bot.texts.locale import Locale
from classifier.evaluation.figures import POOLING_NAMES

SHOWN = 8
"""How many versions a message lists: the newest."""


def version_list(versions: Versions, next_times: Sequence[datetime], locale: Locale) -> str:
    """The versions, and when the next scheduled retrainings begin, if there are any."""
    scheduled = [_scheduled(next_times, locale)] if next_times else []
    if not versions.newest_first:
        return "\n\n".join([locale(phrases.NONE), *scheduled])
    shown = versions.newest_first[:SHOWN]
    blocks = [locale(phrases.TITLE), *(_version(one, versions.champion, locale) for one in shown)]
    if older := len(versions.newest_first) - len(shown):
        blocks.append(locale(phrases.OLDER, count=older))
    return "\n\n".join([*blocks, locale(phrases.EXPLAINED), *scheduled])


def version_keyboard(versions: Versions, locale: Locale) -> InlineKeyboardMarkup | None:
    """A row for each version that could answer instead, then one for each decision to look at."""
    shown = versions.newest_first[:SHOWN]
    offers = [(phrases.PROMOTE, "p", one.name) for one in shown if one.name != versions.champion]
    offers += [(phrases.DECISION, "d", one.name) for one in shown if one.decision]
    if versions.earlier:
        offers.append((phrases.ROLL_BACK, "r", versions.earlier))
    buttons = [
        InlineKeyboardButton(locale(label, name=name), callback_data=f"m:{what}:{name}")
        for label, what, name in offers
    ]
    return InlineKeyboardMarkup.from_column(buttons) if buttons else None


def confirmation_question(what: str, name: str, champion: str | None, locale: Locale) -> str:
    """`what` is p for promote, r for roll back."""
    phrase = phrases.ASK_PROMOTE if what == "p" else phrases.ASK_ROLL_BACK
    return locale(phrase, name=escape(name), champion=champion or locale(phrases.NOBODY))


def confirmation_keyboard(what: str, name: str, locale: Locale) -> InlineKeyboardMarkup:
    yes = InlineKeyboardButton(locale(phrases.YES), callback_data=f"m:{what}!:{name}")
    no = InlineKeyboardButton(locale(phrases.NO), callback_data="m:no")
    return InlineKeyboardMarkup.from_row([yes, no])


def _version(version: ModelVersion, champion: str | None, locale: Locale) -> str:
    name = f"<b>{escape(version.name)}</b>"
    if version.decision == "refused":
        name += locale(phrases.WAS_REFUSED)
    lines = [locale(phrases.CHAMPION, name=version.name) if version.name == champion else name]
    lines += [
        figures_line(pooling, figures, locale) for pooling, figures in version.figures.items()
    ]
    return "\n".join(lines if version.figures else [*lines, locale(phrases.NO_FIGURES)])


def _scheduled(times: Sequence[datetime], locale: Locale) -> str:
    lines = "\n".join(map(locale.moment, times))
    return locale(phrases.NEXT_RETRAININGS, zone=escape(str(times[0].tzinfo)), times=lines)


def figures_line(pooling: str, figures: dict[str, Any], locale: Locale) -> str:
    """A model's figures on its holdout."""
    return locale(
        phrases.FIGURES,
        model=POOLING_NAMES[pooling],
        accuracy=locale.percent(figures.get("accuracy"), 1),
        macro_f1=locale.decimal(figures.get("macro_f1"), 3),
        mae=locale.decimal(figures.get("rating_mae")),
    )
