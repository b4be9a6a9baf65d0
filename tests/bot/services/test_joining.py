"""Texts that a client splits are joined; nothing else waits, and no part is lost."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.local.text import parts as split_by_client
from bot.services.joining import LIMIT, NEAR_LIMIT, Inbox, Joiner, Part, join, units
from bot.services.turns import Turns

pytestmark = pytest.mark.anyio

LONG, SHORT = "д" * NEAR_LIMIT, "коротко"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FOR_EVER = 60.0  # a wait that the tests don't sit out


def joins(wait: float = FOR_EVER) -> Joiner:
    return Joiner(wait, is_tried_again=lambda error: isinstance(error, OSError))


def holding(*parts: Part) -> Inbox:
    async def inbox() -> list[Part]:
        return list(parts)

    return inbox


async def collect(joiner: Joiner, part: Part, inbox: Inbox | None = None) -> list[int] | None:
    """The message ids of the text that this part leads; None for the other parts."""
    async with joiner.collect(part, inbox or holding(part)) as parts:
        return None if parts is None else [part.message_id for part in parts]


def part(number: int, text: str = LONG, second: float = 0, **others: Any) -> Part:
    sent = NOON + timedelta(seconds=second)
    usual: dict[str, Any] = {"place": (1, 1, None), "sent": sent, "author": "", "written": sent}
    return Part(update_id=100 + number, message_id=number, text=text, **usual | others)


async def test_a_short_text_is_whole_at_once() -> None:
    assert await collect(joins(), part(1, SHORT)) == [1]


async def test_a_tail_completes_the_text_without_a_wait() -> None:
    joiner = joins()
    collected = await asyncio.gather(
        *(collect(joiner, each) for each in (part(1), part(2), part(3, SHORT)))
    )
    assert collected == [[1, 2, 3], None, None]
    assert await collect(joiner, part(4, SHORT)) == [4]


async def test_a_text_of_one_long_part_is_whole_after_the_wait() -> None:
    assert await collect(joins(0.01), part(1)) == [1]


async def test_chats_and_users_are_not_mixed() -> None:
    joiner = joins(0.05)
    places = {1: (1, 1, None), 2: (2, 1, None), 3: (1, 2, None), 4: (1, 1, 7)}
    collected = await asyncio.gather(
        *(
            collect(joiner, part(number, LONG if number == 1 else SHORT, place=place))
            for number, place in places.items()
        )
    )
    assert collected == [[1], [2], [3], [4]]


async def test_a_later_part_is_not_done_before_the_text_is_dealt_with() -> None:
    joiner, dealt_with = joins(), asyncio.Event()

    async def first() -> None:
        async with joiner.collect(part(1), holding(part(1))):
            await dealt_with.wait()

    leading = asyncio.create_task(first())
    await asyncio.sleep(0)
    following = asyncio.create_task(collect(joiner, part(2, SHORT)))
    done, _ = await asyncio.wait([leading, following], timeout=0.05)
    assert not done
    dealt_with.set()
    assert await following is None


@pytest.mark.parametrize(("error", "of_the_others"), [(ValueError(), None), (OSError(), OSError)])
async def test_the_other_parts_share_the_fate_of_the_text(
    error: Exception, of_the_others: type[Exception] | None
) -> None:
    joiner = joins()

    async def first() -> None:
        async with joiner.collect(part(1), holding(part(1))):
            raise error

    failed, followed = await asyncio.gather(
        first(), collect(joiner, part(2, SHORT)), return_exceptions=True
    )
    assert failed is error
    if of_the_others is None:  # nobody is told twice
        assert followed is None
    else:
        assert isinstance(followed, of_the_others)


@pytest.mark.parametrize("collected", [False, True])
async def test_no_part_is_done_when_the_text_is_cancelled(collected: bool) -> None:
    joiner = joins()

    async def first() -> None:
        async with joiner.collect(part(1), holding(part(1))):
            await asyncio.Event().wait()

    leading = asyncio.create_task(first())
    await asyncio.sleep(0)
    following = asyncio.create_task(collect(joiner, part(2, SHORT if collected else LONG)))
    await asyncio.sleep(0.01)
    leading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await following
    assert await collect(joiner, part(3, SHORT)) == [3]


async def test_nobody_holds_a_text_open_for_ever() -> None:
    joiner = joins()
    collected = await asyncio.gather(*(collect(joiner, part(number)) for number in range(50)))
    assert collected == [list(range(50)), *[None] * 49]


async def test_each_message_is_dealt_with_in_turn() -> None:
    turns, order = Turns(), list[str]()

    async def take(name: str, message_id: int) -> None:
        async with turns.of_message(1, message_id):
            order.append(f"{name} begins")
            await asyncio.sleep(0)
            order.append(f"{name} ends")

    await asyncio.gather(take("first", 1), take("second", 1))
    assert order == ["first begins", "first ends", "second begins", "second ends"]
    order.clear()
    await asyncio.gather(take("first", 1), take("other", 2))
    assert order[:2] == ["first begins", "other begins"]


# --- what belongs together

TWO_HOURS = 7_200.0


@pytest.mark.parametrize(
    "second",
    [
        part(2, second=3_000),
        part(2, second=3),
        part(2, author="another"),
        part(2, author=None),
        part(2, written=NOON + timedelta(minutes=50)),
    ],
)
@pytest.mark.parametrize("late", [False, True])
async def test_two_texts_are_two_whenever_they_are_handled(second: Part, late: bool) -> None:
    joiner = joins(0.01)
    inbox = holding(part(1), second)
    if late:
        assert await collect(joiner, part(1), inbox) == [1]
        assert await collect(joiner, second) == [2]
    else:
        both = (collect(joiner, each, inbox) for each in (part(1), second))
        assert await asyncio.gather(*both) == [[1], [2]]


async def test_parts_wait_in_the_inbox_for_whoever_comes_first() -> None:
    whole = [part(1), part(2), part(3, SHORT)]
    inbox = holding(*whole, part(4, SHORT), part(5, SHORT, place=(1, 2, None)))
    for leader in whole:
        assert await collect(joins(), leader, inbox) == [1, 2, 3]


async def test_a_message_in_between_ends_a_text() -> None:
    inbox, joiner = holding(part(1), part(2, author=None), part(3)), joins(0.01)
    found = await asyncio.gather(*(collect(joiner, each, inbox) for each in (part(1), part(3))))
    assert found == [[1], [3]]


async def test_a_part_that_was_handled_before_its_turn_is_no_text() -> None:
    assert await collect(joins(), part(2, SHORT), holding()) is None


async def test_a_text_in_hand_is_not_taken_again() -> None:
    joiner, released = joins(0.01), asyncio.Event()

    async def first() -> None:
        async with joiner.collect(part(1), holding(part(1))):
            await released.wait()

    leading = asyncio.create_task(first())
    await asyncio.sleep(0.05)
    assert await collect(joiner, part(2), holding(part(1), part(2))) == [2]
    released.set()
    await leading


class Chat:
    """Generated texts, split as a client does, that are delivered and handled in some order."""

    def __init__(self, texts: list[tuple[str, float, str]]) -> None:
        self.parts: list[Part] = []
        self.texts: list[list[int]] = []
        for place, gap, text in texts:
            second = (self.parts[-1].sent - NOON).total_seconds() + gap if self.parts else 0
            numbers = []
            for piece in split_by_client(text):
                numbers.append(len(self.parts) + 1)
                user = (1, ord(place), None)
                self.parts.append(part(numbers[-1], piece, second, place=user))
            self.texts.append(numbers)
        self.stored: set[int] = set()

    async def inbox(self) -> list[Part]:
        return [each for each in self.parts if each.update_id in self.stored]


texts = st.lists(
    st.tuples(
        st.sampled_from("ab"),
        st.sampled_from([3.0, 60.0, TWO_HOURS]),
        st.integers(1, 12_000).map(lambda length: ("слово " * length)[:length].strip()),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=150, deadline=None)
@given(texts, st.integers(0, 2**32).map(random.Random), st.sampled_from([1, 2, 64]))
async def test_whatever_order_they_are_handled_in_each_text_is_one(
    texts: list[tuple[str, float, str]], chance: random.Random, at_once: int
) -> None:
    """A backlog: all are in the inbox, and few or many are handled at once in any order."""
    chat, joiner, slots = Chat(texts), joins(0.005), asyncio.Semaphore(at_once)
    chat.stored = _ids(chat.parts)
    answered: list[list[int]] = []

    async def handle(each: Part) -> None:
        async with slots:
            if each.update_id not in chat.stored:
                return  # it was taken before its turn
            async with joiner.collect(each, chat.inbox) as parts:
                if parts is not None:
                    await asyncio.sleep(0)
                    answered.append([one.message_id for one in parts])
                    chat.stored -= _ids(parts)

    order = chance.sample(chat.parts, len(chat.parts))
    await asyncio.gather(*map(handle, order))
    assert sorted(answered) == chat.texts


@settings(max_examples=50, deadline=None)
@given(texts, st.integers(0, 2**32).map(random.Random))
async def test_parts_that_arrive_in_bursts_are_joined(
    texts: list[tuple[str, float, str]], chance: random.Random
) -> None:
    chat, joiner = Chat(texts), joins(0.05)
    answered: list[list[int]] = []

    async def handle(each: Part) -> None:
        async with joiner.collect(each, chat.inbox) as parts:
            if parts is not None:
                answered.append([one.message_id for one in parts])
                chat.stored -= _ids(parts)

    handling = []
    for each in chat.parts:
        chat.stored.add(each.update_id)
        handling.append(asyncio.create_task(handle(each)))
        if chance.random() < 0.5:
            await asyncio.sleep(0)
    await asyncio.gather(*handling)
    assert sorted(answered) == chat.texts


def _ids(parts: list[Part]) -> set[int]:
    return {each.update_id for each in parts}


# --- joining the words


def test_a_text_cut_at_a_blank_keeps_its_words_apart() -> None:
    assert join([part(2, "конец"), part(1, "начало")]) == "начало\nконец"


def test_a_text_cut_within_a_word_is_whole_again() -> None:
    start = "а" * LIMIT
    assert join([part(1, start), part(2, "бв")]) == start + "бв"


@given(st.lists(st.text("аб🎬,", min_size=1, max_size=300), min_size=5, max_size=20))
def test_what_a_client_splits_comes_back(words: list[str]) -> None:
    text = " ".join(words * 5)
    pieces = split_by_client(text)
    rejoined = join([part(number, piece) for number, piece in enumerate(pieces)])
    assert rejoined.split() == text.split()


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_length_is_counted_as_telegram_does(text: str) -> None:
    assert units(text) == len(text.encode("utf-16-le")) // 2
