"""HTML and entities are read as Telegram reads them."""

import html
from contextlib import suppress

import httpx
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from telegram import (
    Bot,
)

from bot.local.message_content import text_content
from bot.local.params import ApiError, Params
from bot.local.text import LIMITS, TEXT, cleaned, parts, trimmed, units
from tests.bot.local.bots import ANNA, call
from tests.bot.local_client import Person

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("<b>а</b>", "а", [("bold", 0, 1)]),
        ("😀<b>а</b>", "😀а", [("bold", 2, 1)]),
        ("<i>а<u>б</u></i>", "аб", [("italic", 0, 2), ("underline", 1, 1)]),
        ("<STRONG >а</strong>", "а", [("bold", 0, 1)]),
        ("<b></b>а<i> </i>", "а", []),
        ("<b> а </b>б<i> </i>в", "а б в", [("bold", 0, 2)]),
        ("&lt;b&gt &amp; &quot;&#1076;&#x430;&quot; &nbsp; & &", '<b> & "да" &nbsp; & &', []),
        ("<tg-spoiler>а</tg-spoiler>", "а", [("spoiler", 0, 1)]),
        ('<span class="tg-spoiler">а</span>', "а", [("spoiler", 0, 1)]),
        ("<blockquote>а</blockquote>", "а", [("blockquote", 0, 1)]),
        ("<blockquote expandable>а</blockquote>", "а", [("expandable_blockquote", 0, 1)]),
        ("<code>@kinorate_bot</code>", "@kinorate_bot", [("code", 0, 13)]),
        ('<pre><code class="language-py">а</code></pre>', "а", [("pre", 0, 1)]),
        (
            "<s>@anna_b</s> ya.ru",
            "@anna_b ya.ru",
            [
                ("strikethrough", 0, 7),
                ("mention", 0, 7),
                ("url", 8, 5),
            ],
        ),
    ],
)
async def test_html(bot: Bot, source: str, text: str, entities: list[tuple[str, int, int]]) -> None:
    message = await bot.send_message(ANNA, source, parse_mode="HTML")
    assert message.text == text
    assert [(e.type, e.offset, e.length) for e in message.entities] == entities


async def test_html_attributes(bot: Bot) -> None:
    source = (
        "<a href='https://ya.ru/?a=1&amp;b=2'>да</a> <pre><code class=language-py>x</code></pre>"
    )
    link, code = (await bot.send_message(ANNA, source, parse_mode="HTML")).entities
    assert (link.type, link.url) == ("text_link", "https://ya.ru/?a=1&b=2")
    assert (code.type, code.language) == ("pre", "py")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("<b>а", 'Can\'t find end tag corresponding to start tag "b"'),
        ("я <film>", 'Unsupported start tag "film" at byte offset 3'),
        ("5 < 6", 'Unsupported start tag "" at byte offset 2'),
        ("5 <6", "Unclosed start tag at byte offset 2"),
        ("а</b>", "Unexpected end tag at byte offset 2"),
        ("<b>а</i>", 'Unmatched end tag at byte offset 5, expected "</b>", found "</i>"'),
        ("<span>а</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        (
            "<a href>а</a>",
            'Expected equal sign in declaration of an attribute of the tag "a" at byte offset 0',
        ),
        ('<a href="а', "Unclosed start tag at byte offset 0"),
        ("<a href=", 'Unclosed start tag "a" at byte offset 0'),
        ("<a href=https://ya.ru>а</a>", "Unexpected end of name token at byte offset 8"),
        ('<a ="а">', 'Empty attribute name in the tag "a" at byte offset 0'),
    ],
)
async def test_html_that_can_not_be_parsed(
    http: httpx.AsyncClient, source: str, reason: str
) -> None:
    answer = await call(http, "sendMessage", chat_id=ANNA, text=source, parse_mode="HTML")
    assert answer == {
        "ok": False,
        "error_code": 400,
        "description": f"Bad Request: can't parse entities: {reason}",
    }


async def test_entities_of_what_a_person_writes(anna: Person) -> None:
    text = "/rate@kinorate_bot 😀 @kinorate_bot, https://kino.ru/1. a@kino.ru #кино и/или"
    message = (await anna.send(text))[0]
    assert {entity.type: value for entity, value in message.parse_entities().items()} == {
        "bot_command": "/rate@kinorate_bot",
        "mention": "@kinorate_bot",
        "url": "https://kino.ru/1",
        "email": "a@kino.ru",
        "hashtag": "#кино",
    }


ANY_TEXT = st.text(max_size=200) | st.text(alphabet='<>&;="/ab а😀\n@#.', max_size=200)


@settings(max_examples=50)  # a hundred took five seconds
@given(ANY_TEXT)
def test_what_is_escaped_arrives_as_it_was(text: str) -> None:
    shown = trimmed(cleaned(text))
    assume(shown)
    values = {"text": html.escape(text), "parse_mode": "HTML"}
    content = text_content(Params(values, {}), "too long")
    assert content["text"] == shown
    for entity in content.get("entities", []):
        assert 0 <= entity["offset"] < entity["offset"] + entity["length"] <= units(shown)


@given(ANY_TEXT)
def test_any_html_is_parsed_or_refused(text: str) -> None:
    with suppress(ApiError):
        text_content(Params({"text": text, "parse_mode": "HTML"}, {}), "too long")


@given(st.text(alphabet="а б\n😀.", max_size=40), st.integers(0, 600))
def test_a_split_text_loses_only_space(text: str, times: int) -> None:
    found = parts(text * times)
    assert all(1 <= units(part) <= LIMITS[TEXT] for part in found)
    assert "".join("".join(found).split()) == "".join((text * times).split())
