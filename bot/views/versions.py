"""The messages of /models, made of the versions there are, and their buttons."""

from collections.abc import Collection, Mapping
from html import escape
from typing import Any

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.services.versions import ModelVersion, Versions
from bot.texts import versions as phrases
from bot.texts.locale import Locale
from classifier.evaluation.figures import POOLING_NAMES

SHOWN = 8
"""How many versions a message lists: the newest."""


def version_list(versions: Versions, statuses: Mapping[str, str], locale: Locale) -> str:
    """`statuses` are the gate's decisions by version: "promoted" or "refused"."""
    if not versions.newest_first:
        return locale(phrases.NONE)
    shown = versions.newest_first[:SHOWN]
    blocks = [
        locale(phrases.TITLE),
        *(_version(one, versions.champion, statuses.get(one.name), locale) for one in shown),
    ]
    if older := len(versions.newest_first) - len(shown):
        blocks.append(locale(phrases.OLDER, count=older))
    return "\n\n".join([*blocks, locale(phrases.EXPLAINED)])


def version_keyboard(
    versions: Versions, decided: Collection[str], locale: Locale
) -> InlineKeyboardMarkup | None:
    """A row for each version that could answer instead, then one for each decision to look at."""
    shown = [one.name for one in versions.newest_first[:SHOWN]]
    rows = [
        [InlineKeyboardButton(locale(phrases.PROMOTE, name=name), callback_data=f"m:p:{name}")]
        for name in shown
        if name != versions.champion
    ]
    rows += [
        [InlineKeyboardButton(locale(phrases.DECISION, name=name), callback_data=f"m:d:{name}")]
        for name in shown
        if name in decided
    ]
    if name := versions.earlier:
        label = locale(phrases.ROLL_BACK, name=name)
        rows.append([InlineKeyboardButton(label, callback_data=f"m:r:{name}")])
    return InlineKeyboardMarkup(rows) if rows else None


def confirmation_keyboard(what: str, name: str, locale: Locale) -> InlineKeyboardMarkup:
    """`what` is p for promote, r for roll back."""
    yes = InlineKeyboardButton(locale(phrases.YES), callback_data=f"m:{what}!:{name}")
    return InlineKeyboardMarkup(
        [[yes, InlineKeyboardButton(locale(phrases.NO), callback_data="m:no")]]
    )


def _version(
    version: ModelVersion, champion: str | None, status: str | None, locale: Locale
) -> str:
    name = f"<b>{escape(version.name)}</b>"
    if status == "refused":
        name += locale(phrases.WAS_REFUSED)
    lines = [locale(phrases.CHAMPION, name=version.name) if version.name == champion else name]
    lines += [_figures(pooling, figures, locale) for pooling, figures in version.figures.items()]
    return "\n".join(lines if version.figures else [*lines, locale(phrases.NO_FIGURES)])


def _figures(pooling: str, figures: dict[str, Any], locale: Locale) -> str:
    return locale(
        phrases.FIGURES,
        model=POOLING_NAMES[pooling],
        accuracy=locale.percent(figures.get("accuracy"), 1),
        macro_f1=locale.decimal(figures.get("macro_f1"), 3),
        mae=locale.decimal(figures.get("rating_mae")),
    )
