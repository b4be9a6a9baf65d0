"""A review's words in one line that can do nothing to a terminal or a chat."""

import unicodedata

_INNER = str.maketrans("«»", "„“")  # within the quotation marks that the line is put into


def quoted(text: str, most: int) -> str:
    """The beginning of `text`, of `most` characters and an ellipsis where it is longer."""
    visible = "".join(_visible(character) for character in text[: 10 * most])
    line = " ".join(visible.translate(_INNER).split())
    return line if len(line) <= most else line[:most].rstrip() + "…"


def _visible(character: str) -> str:
    """A blank for a control character; nothing for one that changes the direction of writing."""
    kind = unicodedata.category(character)
    if kind == "Cf":
        return character if character == "\u200d" else ""  # it joins emoji
    return " " if kind.startswith("C") else character
