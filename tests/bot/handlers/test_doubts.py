"""Doubtful ratings in /errors: judged by admins, one by one or as a group, and taken back."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from telegram import Message

from bot.services.periods import SPANS
from bot.services.statistics import StatisticsService
from bot.texts import conversation
from bot.texts import doubts as phrases
from bot.texts import error_analysis as error_phrases
from bot.texts.locale import RUSSIAN
from db import training_data
from db.engine import Sessions
from db.models import AdminAction
from tests.bot.doubtful import add_rating
from tests.bot.handlers.test_error_analysis import actions, data
from tests.bot.local_client import Person
from tests.bot.talking import ANYA, BORIS, EMILY, all_done, buttons_of

pytestmark = [pytest.mark.anyio, pytest.mark.slow]  # a chat takes one message a second

NOW = datetime.now(UTC) - timedelta(hours=1)
WRONG, RIGHT = phrases.BUTTON_WRONG.ru, phrases.BUTTON_RIGHT.ru
LAST_BACK, BACK = phrases.BUTTON_TAKE_BACK_LAST.ru, phrases.BUTTON_TAKE_BACK.ru


@pytest.fixture
async def three(write: Sessions) -> list[int]:
    """Doubtful ratings of three people, the most doubtful first, and one that is not."""
    async with write.begin() as session:
        doubtful = [
            await add_rating(session, ANYA, 1, 0, NOW, bad=0.01, text="Чудо! <b>Шедевр</b>"),
            await add_rating(session, 1, 1, 1, NOW, bad=0.03),
            await add_rating(session, 2, 1, 2, NOW - timedelta(minutes=1), bad=0.03),
        ]
        await add_rating(session, 3, 1, 10, NOW)
    return doubtful


async def doubts(person: Person) -> Message:
    page = await person.ask("/errors")
    return await press(person, page, error_phrases.BUTTON_DOUBTFUL.ru)


async def press(person: Person, page: Message, label: str) -> Message:
    await person.tap(page.message_id, data(page, label))
    return await person.edited(page.message_id, page)


async def toast(person: Person, page: Message, label: str) -> str:
    return await person.tap_and_wait(page.message_id, data(page, label))


async def shown(person: Person, page: Message, read: Sessions) -> Message:
    await all_done(read)
    return next(one for one in await person.from_bot() if one.message_id == page.message_id)


async def learnt_from(read: Sessions) -> dict[int, int]:
    """By user, the rating that a training gets."""
    async with read() as session:
        rows = await training_data.rated_reviews(session, held_out=False, per_user=50)
    return {row.user_id: row.rating for row in rows}


async def test_an_admin_decides_and_takes_it_back(
    boris: Person, read: Sessions, three: list[int]
) -> None:
    first = await doubts(boris)
    text = first.text or ""
    assert text.startswith("Сомнительные оценки за неделю\n1 из 3\n")
    assert "автор поставил 0, плохо" in text
    assert "не больше чем на 1\u00a0%" in text
    assert "Чудо! <b>Шедевр</b>" in text  # as it is, not as HTML

    assert await toast(boris, first, WRONG) == phrases.TOAST_WRONG.ru
    second = await shown(boris, first, read)
    assert "1 из 2" in (second.text or "")
    assert "Отзыв 1-1" in (second.text or "")
    assert await learnt_from(read) == {1: 1, 2: 2, 3: 10}
    overview = await StatisticsService(read, lambda: datetime.now(UTC)).overview(SPANS["7d"])
    assert overview.poolings["cls"].others.count == 3

    assert "Отменено: 1 оценка" in await toast(boris, second, LAST_BACK)
    again = await shown(boris, first, read)
    assert again.text == text
    assert ANYA in await learnt_from(read)

    assert await toast(boris, again, "9") == "Записано: настоящая оценка 9."
    assert await toast(boris, await shown(boris, first, read), RIGHT) == phrases.TOAST_RIGHT.ru
    assert await learnt_from(read) == {ANYA: 9, 1: 1, 2: 2, 3: 10}
    # Both are on the list of decisions, the last one first, and can be taken back from there.
    judged = await press(boris, await shown(boris, first, read), error_phrases.BUTTON_JUDGED.ru)
    assert "оценка 1 верна" in (judged.text or "")
    assert "1 из 2" in (judged.text or "")
    older = await press(boris, judged, "›")
    assert "вместо 0 учитывается 9" in (older.text or "")
    assert "Отменено" in await toast(boris, older, BACK)
    assert (await learnt_from(read))[ANYA] == 0
    back = {"action": 1, "ratings": 1}
    said = [(who, what) for who, what, _ in await actions(read)]
    assert said == [
        (BORIS, "judge"),
        (BORIS, "take back judgement"),
        (BORIS, "judge"),
        (BORIS, "judge"),
        (BORIS, "take back judgement"),
    ]
    assert [details for *_, details in await actions(read)][:2] == [
        {"word": "wrong", "ratings": 1},
        back,
    ]


async def test_a_tap_on_what_has_changed_meanwhile_says_so(
    http: httpx.AsyncClient, boris: Person, read: Sessions, three: list[int]
) -> None:
    anya, emily = Person(http, ANYA), Person(http, EMILY)
    old = await doubts(boris)
    # The other admin was quicker.
    await emily.tap(old.message_id, data(old, WRONG))
    english = await emily.ask("/errors")
    await emily.tap_and_wait(english.message_id, data(old, WRONG))
    assert await toast(boris, old, RIGHT) == phrases.TOAST_JUDGED.ru
    assert ANYA not in await learnt_from(read)
    # The author has another opinion: the decision stands, and the admins see it first of all.
    await anya.tap_and_wait((await anya.ask("/help")).message_id, f"r:{three[0]}:4")
    assert ANYA not in await learnt_from(read)
    assert await toast(boris, old, WRONG) == phrases.TOAST_CHANGED.ru
    changed = await shown(boris, old, read)
    assert "оценка 0 неверна" in (changed.text or "")
    assert "автор поставил 4. Решение остаётся" in (changed.text or "")
    assert await toast(boris, changed, RIGHT) == phrases.TOAST_RIGHT.ru
    assert (await learnt_from(read))[ANYA] == 4
    # Taken back, the decision before it stands again; and so on.
    after = await shown(boris, old, read)
    assert "Отменено" in await toast(boris, after, LAST_BACK)
    assert ANYA not in await learnt_from(read)
    assert await toast(boris, after, LAST_BACK) == phrases.TOAST_NOT_STANDING.ru
    # The author has everything erased.
    question = await anya.ask("/forget")
    await anya.tap(question.message_id, "forget:yes")
    await anya.edited(question.message_id, question)
    assert await toast(boris, changed, WRONG) == phrases.TOAST_GONE.ru
    assert await toast(boris, after, LAST_BACK) == phrases.TOAST_GONE.ru
    for forged in ("j:v:w:1:0:0:s:9y:1", "j:v:11:1:0:0:s:7d:1", "j:u::s:7d:1"):
        said = await boris.tap_and_wait(old.message_id, forged)
        assert said == conversation.TOAST_OLD_BUTTON.ru


@pytest.fixture
async def crowd(write: Sessions) -> None:
    """One person with 12 absurd ratings of 14, and three who share a phrase."""
    async with write.begin() as session:
        for number in range(14):
            await add_rating(session, 7, number, 10 if number < 2 else 0, NOW)
        for user in (11, 12, 13):
            text = f"Чудесное кино номер {user}. Мы с тётушкой пили <i>клюквенный</i> морс. И пять."
            await add_rating(session, user, 1, 0, NOW, text=text)
        for user in range(21, 25):
            await add_rating(session, user, 1, 9, NOW, text="Просто чудесное кино, и всем советую.")


@pytest.mark.usefixtures("crowd")
async def test_a_row_of_absurd_ratings_and_a_shared_phrase_are_excluded_at_once(
    boris: Person, read: Sessions
) -> None:
    groups = await doubts(boris)
    text = groups.text or ""
    assert "Один человек: 12 из 14 оценок против обеих моделей" in text
    assert "Одна фраза у 3 человек: «Мы с тётушкой пили <i>клюквенный</i> морс. И пять»" in text
    assert [row[0][0] for row in buttons_of(groups)[:2]] == ["1: исключить 3", "2: исключить 12"]
    assert await toast(boris, groups, "1: исключить 3") == "Исключено: 3 оценки."
    one = await shown(boris, groups, read)
    # The other list is old now, but its second group is still the same.
    assert await toast(boris, groups, "2: исключить 12") == "Исключено: 12 оценок."
    assert await toast(boris, groups, "2: исключить 12") == phrases.TOAST_OTHER_GROUP.ru
    assert await learnt_from(read) == {7: 10, **dict.fromkeys(range(21, 25), 9)}
    assert "исключить 12" in str(buttons_of(one))
    assert await toast(boris, one, LAST_BACK) == "Отменено: 3 оценки, всё как было до решения."
    assert set(await learnt_from(read)) >= {11, 12, 13}
    judged = await press(boris, await shown(boris, groups, read), error_phrases.BUTTON_JUDGED.ru)
    assert "1 из 12" in (judged.text or "")
    assert "Отменено: 12 оценок" in await toast(boris, judged, BACK)
    assert phrases.NOTHING_JUDGED.ru in ((await shown(boris, groups, read)).text or "")
    details = [each for _, _, each in await actions(read)]
    assert details[0] == {"word": "wrong", "ratings": 3}
    assert "7" not in str(details).replace("17", "")  # nobody is named


@pytest.mark.usefixtures("crowd")
async def test_one_by_one(boris: Person, read: Sessions) -> None:
    groups = await doubts(boris)
    one = await press(boris, groups, "›")
    assert "1 из 15" in (one.text or "")
    back = await press(boris, one, "‹")
    assert back.text == groups.text
    await boris.tap(groups.message_id, "j:l:s:7d:99")  # beyond the end: the last one
    last = await boris.edited(groups.message_id, back)
    assert "15 из 15" in (last.text or "")


@pytest.mark.usefixtures("three")
async def test_others_neither_see_nor_judge(http: httpx.AsyncClient, read: Sessions) -> None:
    anya = Person(http, ANYA)
    help_message = await anya.ask("/help")
    for forged in ("j:l:s:7d:1", "j:v:w:1:0:0:s:7d:1", "j:u:1:s:7d:1"):
        said = await anya.tap_and_wait(help_message.message_id, forged)
        assert said == conversation.TOAST_OLD_BUTTON.ru
    async with read() as session:
        assert list(await session.scalars(select(AdminAction))) == []


async def test_nothing_is_doubtful(boris: Person) -> None:
    page = await doubts(boris)
    assert phrases.NOTHING.ru in (page.text or "")
    assert await _labels(page) == ["Ошибки", "Споры", "✓ Сомнения", "Решения"]
    assert RUSSIAN(phrases.NOTHING_JUDGED) in (
        (await press(boris, page, error_phrases.BUTTON_JUDGED.ru)).text or ""
    )


async def _labels(page: Message) -> list[Any]:
    return [label for row in buttons_of(page) for label, _ in row]
