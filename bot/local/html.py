"""Telegram's HTML: tags to entities, with the same refusals as the real parser."""

import re
from dataclasses import dataclass, field

from bot.local.entities import span
from bot.local.errors import ApiError
from bot.local.people import Json
from bot.local.text import cleaned

_KINDS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "span": "spoiler",  # with class="tg-spoiler"
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
}
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_REFERENCE = re.compile(
    r"&(?:#(?P<decimal>\d{1,7})|#x(?P<hex>[\da-fA-F]{1,6})|(?P<name>[a-zA-Z]+));?"
)
_SPACE = " \t\r\n\f\v"


@dataclass
class _Tag:
    name: str
    start: int  # in the text without tags
    attributes: dict[str, str] = field(default_factory=dict)


def parse(source: str) -> tuple[str, list[Json]]:
    """The text without tags, and its entities."""
    return _Parser(source).run()


class _Parser:
    def __init__(self, source: str) -> None:
        self.source, self.at = source, 0
        self.text = ""
        self.open: list[_Tag] = []
        self.entities: list[Json] = []

    def run(self) -> tuple[str, list[Json]]:
        while self.at < len(self.source):
            if self.source[self.at] == "<":
                begin = self.at
                self.at += 1
                if self._next() == "/":
                    self._end_tag(begin)
                else:
                    self._start_tag(begin)
            else:
                end = self.source.find("<", self.at)
                end = len(self.source) if end < 0 else end
                self.text += _decoded(self.source[self.at : end])
                self.at = end
        if self.open:
            raise _refusal(f'Can\'t find end tag corresponding to start tag "{self.open[-1].name}"')
        return self.text, self.entities

    def _start_tag(self, begin: int) -> None:
        name = self._until(_SPACE + ">").lower()
        if not self._next():
            raise self._refusal_at(begin, "Unclosed start tag")
        if name not in _KINDS:
            raise self._refusal_at(begin, f'Unsupported start tag "{name}"')
        tag = _Tag(name, len(self.text))
        while self._skip_space() != ">":
            attribute, value = self._attribute(name, begin)
            tag.attributes[attribute] = value
        self.at += 1
        if name == "span" and tag.attributes.get("class") != "tg-spoiler":
            raise self._refusal_at(begin, 'Tag "span" must have class "tg-spoiler"')
        self.open.append(tag)

    def _attribute(self, tag: str, begin: int) -> tuple[str, str]:
        name = self._until(_SPACE + "=>").lower()
        if not name:
            raise self._refusal_at(begin, f'Empty attribute name in the tag "{tag}"')
        if self._skip_space() != "=":
            if tag == "blockquote" and name == "expandable":
                return name, ""
            reason = f'Expected equal sign in declaration of an attribute of the tag "{tag}"'
            raise self._refusal_at(begin, reason)
        self.at += 1
        quote = self._skip_space()
        if not quote:
            raise self._refusal_at(begin, f'Unclosed start tag "{tag}"')
        if quote not in ('"', "'"):
            return name, self._name_token()
        self.at += 1
        value = self._until(quote)
        if not self._next():
            raise self._refusal_at(begin, "Unclosed start tag")
        self.at += 1
        return name, _decoded(value)

    def _name_token(self) -> str:
        """A value without quotes, which an address can't be."""
        begin = self.at
        token = self._until(_SPACE + ">")
        if not re.fullmatch("[a-zA-Z0-9.-]*", token):
            raise self._refusal_at(begin, "Unexpected end of name token")
        return token.lower()

    def _end_tag(self, begin: int) -> None:
        self.at += 1
        name = self._until(_SPACE + ">").lower()
        if not self.open:
            raise self._refusal_at(begin, "Unexpected end tag")
        if self._skip_space() != ">":
            raise self._refusal_at(begin, "Unclosed end tag")
        self.at += 1
        tag = self.open.pop()
        if name and name != tag.name:
            reason = f'expected "</{tag.name}>", found "</{name}>"'
            raise self._refusal_at(begin, "Unmatched end tag", reason)
        self._close(tag)

    def _close(self, tag: _Tag) -> None:
        if tag.start == len(self.text):
            return
        entity: Json = {"type": _KINDS[tag.name], **span(self.text, tag.start, len(self.text))}
        if tag.name == "a":
            url = tag.attributes.get("href") or self.text[tag.start :]
            if not re.match(r"(https?|tg|mailto|tel)://?\S|\S+\.\S", url, re.I):
                return
            entity["url"] = url
        elif tag.name == "blockquote" and "expandable" in tag.attributes:
            entity["type"] = "expandable_blockquote"
        elif tag.name == "code" and self.open and self.open[-1].name == "pre":
            self.open[-1].attributes.setdefault("language", tag.attributes.get("class", ""))
            return
        elif tag.name == "pre":
            language = tag.attributes.get("language", "")
            if language.startswith("language-"):
                entity["language"] = language.removeprefix("language-")
        self.entities.append(entity)

    def _next(self) -> str:
        return self.source[self.at : self.at + 1]

    def _until(self, stops: str) -> str:
        begin = self.at
        while self.at < len(self.source) and self.source[self.at] not in stops:
            self.at += 1
        return self.source[begin : self.at]

    def _skip_space(self) -> str:
        while self.at < len(self.source) and self.source[self.at] in _SPACE:
            self.at += 1
        return self._next()

    def _refusal_at(self, begin: int, reason: str, detail: str = "") -> ApiError:
        offset = len(self.source[:begin].encode())
        return _refusal(f"{reason} at byte offset {offset}{detail and ', ' + detail}")


def _decoded(text: str) -> str:
    return _REFERENCE.sub(_character, text)


def _character(match: re.Match[str]) -> str:
    """The character that a reference stands for; one that Telegram doesn't know stays as it is."""
    if name := match["name"]:
        return _NAMED.get(name, match[0])
    code = int(match["decimal"]) if match["decimal"] else int(match["hex"], 16)
    known = 0 < code < 0x110000 and not 0xD800 <= code < 0xE000
    return cleaned(chr(code)) if known else match[0]


def _refusal(reason: str) -> ApiError:
    return ApiError.bad_request(f"can't parse entities: {reason}")
