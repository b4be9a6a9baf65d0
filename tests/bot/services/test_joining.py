"""Texts that a client splits are joined; nothing else waits, and no part is lost."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.local.text import parts as split_by_client
from bot.services.joining import LIMIT, NEAR_LIMIT, Joiner, Part, join, units
from bot.services.turns import Turns

pytestmark = pytest.mark.anyio

LONG, SHORT = "д" * NEAR_LIMIT, "коротко"
FOR_EVER = 60.0  # a wait that the tests don't sit out


def joins(wait: float = FOR_EVER) -> Joiner:
    return Joiner(wait, is_tried_again=lambda error: isinstance(error, OSError))


async def collect(joiner: Joiner, part: Part, chat: int = 1, user: int = 1) -> list[int] | None:
    """The message ids of the text that this part begins; None for a later part."""
    async with joiner.collect(chat, user, part) as parts:
        return None if parts is None else [part.message_id for part in parts]


def part(number: int, text: str = LONG) -> Part:
    return Part(update_id=100 + number, message_id=number, text=text)


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
    whose = ((1, LONG, 1, 1), (2, SHORT, 2, 1), (3, SHORT, 1, 2))
    collected = await asyncio.gather(
        *(collect(joiner, part(number, text), chat, user) for number, text, chat, user in whose)
    )
    assert collected == [[1], [2], [3]]


async def test_a_later_part_is_not_done_before_the_text_is_dealt_with() -> None:
    joiner, dealt_with = joins(), asyncio.Event()

    async def first() -> None:
        async with joiner.collect(1, 1, part(1)):
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
        async with joiner.collect(1, 1, part(1)):
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
        async with joiner.collect(1, 1, part(1)):
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
