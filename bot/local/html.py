"""Telegram's HTML: turns tags into entities and refuses what Telegram's parser refuses."""

import re
from dataclasses import dataclass, field

from bot.local.params import ApiError
from bot.local.people import Json
from bot.local.text import cleaned, span

_TAGS = {
    "bold": "b strong",
    "italic": "i em",
    "underline": "u ins",
    "strikethrough": "s strike del",
    "spoiler": "tg-spoiler span",  # a span needs class="tg-spoiler"
    "text_link": "a",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
}
_KINDS = {tag: kind for kind, tags in _TAGS.items() for tag in tags.split()}
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_REFERENCE = re.compile(
    r"&(?:#(?P<decimal>\d{1,7})|#x(?P<hex>[\da-fA-F]{1,6})|(?P<name>[a-zA-Z]+));?"
)


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
        self.tag_at = 0  # where the tag that is being read begins
        self.text = ""
        self.open: list[_Tag] = []
        self.entities: list[Json] = []

    def run(self) -> tuple[str, list[Json]]:
        while self.at < len(self.source):
            self.text += _decoded(self._take("[^<]*"))
            self.tag_at = self.at
            if self._take("</"):
                self._end_tag()
            elif self._take("<"):
                self._start_tag()
        if self.open:
            raise _refusal(f'Can\'t find end tag corresponding to start tag "{self.open[-1].name}"')
        return self.text, self.entities

    def _start_tag(self) -> None:
        tag = _Tag(self._take(r"[^\s>]*").lower(), len(self.text))
        if self.at == len(self.source):
            raise self._refusal("Unclosed start tag")
        if tag.name not in _KINDS:
            raise self._refusal(f'Unsupported start tag "{tag.name}"')
        while not self._take(r"\s*>"):
            attribute, value = self._attribute(tag.name)
            tag.attributes[attribute] = value
        if tag.name == "span" and tag.attributes.get("class") != "tg-spoiler":
            raise self._refusal('Tag "span" must have class "tg-spoiler"')
        self.open.append(tag)

    def _attribute(self, tag: str) -> tuple[str, str]:
        self._take(r"\s*")
        name = self._take(r"[^\s=>]*").lower()
        if not name:
            raise self._refusal(f'Empty attribute name in the tag "{tag}"')
        if not self._take(r"\s*="):
            if tag == "blockquote" and name == "expandable":
                return name, ""
            reason = "Expected equal sign in declaration of an attribute of the tag"
            raise self._refusal(f'{reason} "{tag}"')
        self._take(r"\s*")
        quote = self._take("[\"']")
        if quote:
            value = self._take(f"[^{quote}]*")
            if not self._take(quote):
                raise self._refusal("Unclosed start tag")
            return name, _decoded(value)
        if self.at == len(self.source):
            raise self._refusal(f'Unclosed start tag "{tag}"')
        begin, value = self.at, self._take(r"[^\s>]*")
        if not re.fullmatch("[a-zA-Z0-9.-]*", value):  # addresses need quotes
            raise self._refusal("Unexpected end of name token", at=begin)
        return name, value.lower()

    def _end_tag(self) -> None:
        name = self._take(r"[^\s>]*").lower()
        if not self.open:
            raise self._refusal("Unexpected end tag")
        if not self._take(r"\s*>"):
            raise self._refusal("Unclosed end tag")
        tag = self.open.pop()
        if name and name != tag.name:
            detail = f', expected "</{tag.name}>", found "</{name}>"'
            raise self._refusal("Unmatched end tag", detail)
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

    def _take(self, pattern: str) -> str:
        """Move past the text that matches here, and return it; "" if none does."""
        match = re.compile(pattern, re.ASCII).match(self.source, self.at)
        taken = match[0] if match else ""
        self.at += len(taken)
        return taken

    def _refusal(self, reason: str, detail: str = "", at: int | None = None) -> ApiError:
        """It names the place of the tag that is being read, or `at`."""
        before = self.source[: self.tag_at if at is None else at]
        return _refusal(f"{reason} at byte offset {len(before.encode())}{detail}")


def _decoded(text: str) -> str:
    return _REFERENCE.sub(_character, text)


def _character(match: re.Match[str]) -> str:
    """The character that a reference stands for; an unknown reference stays as it is."""
    if name := match["name"]:
        return _NAMED.get(name, match[0])
    code = int(match["decimal"]) if match["decimal"] else int(match["hex"], 16)
    known = 0 < code < 0x110000 and not 0xD800 <= code < 0xE000
    return cleaned(chr(code)) if known else match[0]


def _refusal(reason: str) -> ApiError:
    return ApiError.bad_request(f"can't parse entities: {reason}")
