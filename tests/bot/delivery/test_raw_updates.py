"""Any bytes become JSON that every database stores, or are no JSON at all."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.delivery.raw_updates import DEEPEST, parse_json, raw_update
from db import updates
from db.engine import Sessions

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ODD = r"""{"update_id": 7, "nan": NaN, "inf": [Infinity, -Infinity, 1e999, -1e999, 1.5],
    "nul": "a\u0000b", "half": "\ud83d", "\u0000": "\udc00",
    "large": 123456789012345678901234567890}"""

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda parts: st.lists(parts) | st.dictionaries(st.text(), parts),
)


def deepest(value: Any) -> int:
    """How many levels there are; not by recursion."""
    levels, level = 0, [value]
    while level:
        levels += 1
        level = [
            child
            for each in level
            if isinstance(each, dict | list)
            for child in (each.values() if isinstance(each, dict) else each)
        ]
    return levels


async def test_odd_values_are_stored_as_they_came(write: Sessions) -> None:
    raw = raw_update(parse_json(ODD.encode()))
    assert raw is not None
    async with write.begin() as session:
        await updates.add(session, raw.update_id, raw.payload, raw.user_id, NOW)
    async with write() as session:
        (row,) = await updates.pending(session)
    assert row.payload == raw.payload
    assert raw.payload["inf"] == [None, None, None, None, 1.5]
    assert raw.payload["half"] == "\ud83d"


@given(st.binary() | ANYTHING.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_storable_json_or_no_json(body: bytes) -> None:
    try:
        value = parse_json(body)
    except ValueError:
        return
    json.dumps(value, allow_nan=False)


@given(ANYTHING)
def test_what_can_be_stored_is_left_as_it_is(value: Any) -> None:
    dumped = json.dumps(value)
    if all(name not in dumped for name in ("NaN", "Infinity")):
        assert parse_json(dumped.encode()) == value


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a\\"]":'])
@pytest.mark.parametrize("depth", [5_000, 100_000])
def test_what_is_nested_too_deeply_is_cut_off_and_the_rest_stays(opening: str, depth: int) -> None:
    closing = "".join({"[": "]", "{": "}"}[mark] for mark in reversed(opening) if mark in "[{")
    nested = opening * depth + "1" + closing * depth
    value = parse_json(('{"update_id": 7, "deep": ' + nested + ', "after": "}]"}').encode())
    assert value["update_id"] == 7
    assert value["after"] == "}]"
    assert deepest(value) <= DEEPEST + 1
    json.dumps(value)


@pytest.mark.parametrize("body", [b"", b"<html>", b"{", b"[1,]", b"1" * 5000 + b","])
def test_no_json_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  (the words are Python's)
        parse_json(body)


def test_a_number_of_any_length_costs_nothing_else() -> None:
    assert parse_json(b'{"update_id": 7, "n": ' + b"9" * 50_000 + b"}") == {
        "update_id": 7,
        "n": None,
    }


@pytest.mark.parametrize(
    ("content", "kind", "user_id"),
    [
        ({"message": {"from": {"id": 5}}}, "message", 5),
        ({"poll_answer": {"user": {"id": 6}}}, "poll_answer", 6),
        ({"message": {"from": {"id": 2**63}}}, "message", None),
        ({"message": {"from": {"id": True}}}, "message", None),
        ({"message": {"from": [1]}}, "message", None),
        ({"message": 5}, "message", None),
        ({"тайна": {"from": {"id": 5}}}, "unknown", None),
        ({}, "unknown", None),
    ],
)
def test_kind_and_owner_are_read_whatever_is_there(
    content: dict[str, Any], kind: str, user_id: int | None
) -> None:
    raw = raw_update({"update_id": 7, **content})
    assert raw is not None
    assert (raw.kind, raw.user_id) == (kind, user_id)
