"""The templates of pages (HTML) and of model cards (Markdown), and what they share."""

import base64
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import jinja2
from markupsafe import Markup

from classifier.evaluation.figures import (
    POOLING_NAMES,
    absent_note,
    figure,
    interval,
    p_value,
    signed,
)
from classifier.reports.theme import DARK, LIGHT

_OPENING = 240  # characters of a long review that are seen without unfolding it
_LONGEST = 6000  # characters shown at all, since pages are sent around
_MARKDOWN = re.compile(r"[\\`*\[\]<>|~$&#]|(?<![^\W_])_|_(?![^\W_])")


@dataclass(frozen=True)
class FoldedText:
    """A review as a page shows it."""

    opening: str
    rest: str  # what is folded away; empty for a short review
    left_out: int  # characters at the end of a very long review that the page leaves out


def fold(text: str) -> FoldedText:
    """Cut a long text in two between words; a rest too short to be worth a fold stays."""
    text = text.strip()
    shown, left_out = text[:_LONGEST], max(0, len(text) - _LONGEST)
    if len(shown) <= 1.3 * _OPENING:
        return FoldedText(shown, "", left_out)
    cut = max(shown.rfind(blank, _OPENING // 2, _OPENING) for blank in " \n")
    cut = cut if cut > 0 else _OPENING
    return FoldedText(shown[:cut], shown[cut:].lstrip(), left_out)


@cache
def template(file: Path) -> jinja2.Template:
    """The template in a file named *.html.jinja or *.md.jinja, whose values are escaped so.

    It may extend and import the templates of this folder. An unknown name in it is an error.
    """
    is_html = file.name.endswith(".html.jinja")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([file.parent, Path(__file__).parent]),
        autoescape=is_html,
        finalize=None if is_html else _as_markdown,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals |= {"poolings": POOLING_NAMES, "themes": {"light": LIGHT, "dark": DARK}}
    environment.filters |= {
        "absent_note": absent_note,
        "figure": figure,
        "interval": interval,
        "p_value": p_value,
        "signed": signed,
        "worded": lambda name: name.replace("_", " "),
        "listed": _listed,
        "data_uri": lambda png: "data:image/png;base64," + base64.b64encode(png).decode("ascii"),
    }
    return environment.get_template(file.name)


def parts_of_verdict(verdict: str) -> tuple[str, str, str]:
    """A verdict's claim, the first colon or semicolon, and the evidence after it."""
    sign = re.search("[:;]", verdict)
    if sign is None:
        return verdict, "", ""
    return verdict[: sign.start()], sign.group(), verdict[sign.end() :].strip()


def one_line(text: str) -> str:
    return " ".join(text.split())


def _as_markdown(value: object) -> object:
    """Text that Markdown shows as it is, on one line; `Markup` passes unchanged."""
    return value if isinstance(value, Markup) else _MARKDOWN.sub(r"\\\g<0>", one_line(str(value)))


def _listed(items: dict[str, str | float | None]) -> str:
    return ", ".join(
        f"{name.replace('_', ' ')} {value if isinstance(value, str) else figure(value)}"
        for name, value in items.items()
    )
