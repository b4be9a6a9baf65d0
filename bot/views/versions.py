"""The messages of /models, made of the versions there are, and their buttons."""

from collections.abc import Collection, Mapping
from html import escape
from typing import Any

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.services.versions import ModelVersion, Versions
from bot.texts.models import ModelTexts
from classifier.evaluation.figures import POOLING_NAMES

SHOWN = 8
"""How many versions a message lists: the newest."""


def version_list(versions: Versions, statuses: Mapping[str, str], texts: ModelTexts) -> str:
    """`statuses` are the gate's decisions by version: "promoted" or "refused"."""
    if not versions.newest_first:
        return texts.none
    shown = versions.newest_first[:SHOWN]
    blocks = [
        texts.title,
        *(_version(one, versions.champion, statuses.get(one.name), texts) for one in shown),
    ]
    if older := len(versions.newest_first) - len(shown):
        blocks.append(texts.older.format(count=older))
    return "\n\n".join([*blocks, texts.explained])


def version_keyboard(
    versions: Versions, decided: Collection[str], texts: ModelTexts
) -> InlineKeyboardMarkup | None:
    """A row for each version that could answer instead, then one for each decision to look at."""
    shown = [one.name for one in versions.newest_first[:SHOWN]]
    rows = [
        [InlineKeyboardButton(texts.promote.format(name=name), callback_data=f"m:p:{name}")]
        for name in shown
        if name != versions.champion
    ]
    rows += [
        [InlineKeyboardButton(texts.decision.format(name=name), callback_data=f"m:d:{name}")]
        for name in shown
        if name in decided
    ]
    if name := versions.earlier:
        label = texts.roll_back.format(name=name)
        rows.append([InlineKeyboardButton(label, callback_data=f"m:r:{name}")])
    return InlineKeyboardMarkup(rows) if rows else None


def confirmation_keyboard(what: str, name: str, texts: ModelTexts) -> InlineKeyboardMarkup:
    """`what` is p for promote, r for roll back."""
    yes = InlineKeyboardButton(texts.yes, callback_data=f"m:{what}!:{name}")
    return InlineKeyboardMarkup([[yes, InlineKeyboardButton(texts.no, callback_data="m:no")]])


def _version(
    version: ModelVersion, champion: str | None, status: str | None, texts: ModelTexts
) -> str:
    name = f"<b>{escape(version.name)}</b>"
    if status == "refused":
        name += texts.was_refused
    lines = [texts.champion.format(name=version.name) if version.name == champion else name]
    lines += [_figures(pooling, figures, texts) for pooling, figures in version.figures.items()]
    return "\n".join(lines if version.figures else [*lines, texts.no_figures])


def _figures(pooling: str, figures: dict[str, Any], texts: ModelTexts) -> str:
    return texts.figures.format(
        model=POOLING_NAMES[pooling],
        accuracy=_number(figures.get("accuracy"), 100, 1, texts),
        macro_f1=_number(figures.get("macro_f1"), 100, 1, texts),
        mae=_number(figures.get("rating_mae"), 1, 2, texts),
    )


def _number(figure: float | None, times: int, digits: int, texts: ModelTexts) -> str:
    if figure is None:
        return "–"
    return f"{times * figure:.{digits}f}".replace(".", texts.decimal_point)
