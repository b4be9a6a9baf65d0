"""/errors: pages in the chat, a table and a page as files; for admins alone, and on record."""

import asyncio
import csv
import io
import re
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select
from telegram import Message

from bot.local.server import LocalServer
from bot.services import error_analysis
from bot.services.error_analysis import EXPLAINED, PAGE, ErrorAnalysis, Page, TooLarge
from bot.services.periods import SPANS, Span
from bot.services.review_table import COLUMNS
from bot.storage.temporary import Temporary
from bot.texts import conversation, reasons
from bot.texts import error_analysis as phrases
from bot.texts.locale import RUSSIAN
from bot.texts.terms import BAD_SPAN
from bot.texts.terms import SPANS as SPAN_NAMES
from db import users
from db.engine import Sessions
from db.hard_reviews import Order
from db.models import AdminAction, Feedback, Prediction, Review
from tests.bot.conftest import RunningBot
from tests.bot.handlers.test_why import REVIEW, Weighing
from tests.bot.live_reviews import add_live_reviews
from tests.bot.local_client import Person, chat_client
from tests.bot.talking import ANYA, BORIS, EMILY, all_done, buttons_of, rating_data, reviews

pytestmark = pytest.mark.anyio

EVIL = '=HYPERLINK("http://example.org","<script>alert(1)</script>")'


@pytest.fixture
async def live(write: Sessions) -> None:
    """Reviews of the last two weeks, the worst of which is out to do harm."""
    now = datetime.now(UTC)
    async with write.begin() as session:
        await add_live_reviews(session, 150, now - timedelta(minutes=1), 14)
        await users.seen(session, 1, "ru", now)
        review = Review(
            user_id=1, chat_id=1, message_id=9999, update_id=9999, text=EVIL, source="private",
            reply_message_id=2, created_at=now - timedelta(minutes=1),
        )  # fmt: skip
        for pooling in ("cls", "mean"):
            review.predictions.append(
                Prediction(
                    pooling=pooling, model_version="<v>", sentiment=2, probability_bad=0.05,
                    probability_neutral=0.05, probability_good=0.9, rating=10,
                    rating_probabilities=[1.0], rating_confidence=0.9, milliseconds=3,
                    created_at=review.created_at,
                )
            )  # fmt: skip
        session.add(review)
        await session.flush()
        session.add(
            Feedback(
                review_id=review.id, user_id=1, rating=0, asked=True, held_out=False,
                created_at=now, updated_at=now,
            )
        )  # fmt: skip


def data(message: Message, label: str) -> str:
    buttons = [button for row in buttons_of(message) for button in row]
    return next(sent for text, sent in buttons if text == label)


async def file(person: Person, page: Message, label: str) -> tuple[Message, bytes]:
    """The file that a tap on this button brings."""
    before = [message.message_id for message in await person.from_bot()]
    await person.tap(page.message_id, data(page, label))
    messages = await person.wait_until(lambda all: any(m.message_id > before[-1] for m in all))
    sent = messages[-1]
    assert sent.document is not None, sent.text
    response = await person.http.get(f"/chat/file/{sent.document.file_id}")
    return sent, response.content


async def actions(read: Sessions) -> list[tuple[int | None, str, object]]:
    async with read() as session:
        stored = await session.scalars(select(AdminAction).order_by(AdminAction.id))
        return [(row.admin_id, row.action, row.details) for row in stored]


@pytest.mark.usefixtures("live")
async def test_others_neither_ask_nor_tap(http: httpx.AsyncClient, read: Sessions) -> None:
    anya = Person(http, ANYA)
    assert (await anya.ask("/errors")).text == conversation.UNKNOWN_COMMAND.ru
    help_message = await anya.ask("/help")
    for sent in ("e:csv:all", "e:html:all", "e:w:all:0"):
        assert (
            await anya.tap_and_wait(help_message.message_id, sent)
            == conversation.TOAST_OLD_BUTTON.ru
        )
    assert await actions(read) == []


@pytest.mark.usefixtures("live")
async def test_turning_the_pages(boris: Person) -> None:
    first = await boris.ask("/errors all")
    text = first.text or ""
    assert text.startswith(f"{phrases.WORST_TITLE.ru} {SPAN_NAMES['all'].ru}\n1–3 из ")
    assert text.count("автор поставил") == PAGE
    assert EVIL in text  # as it is, not as HTML
    assert [label for label, _ in buttons_of(first)[0]] == ["›"]

    await boris.tap(first.message_id, data(first, "›"))
    second = await boris.edited(first.message_id, first)
    assert "\n4–6 из " in (second.text or "")
    assert [label for label, _ in buttons_of(second)[0]] == ["‹", "›"]
    await boris.tap(first.message_id, data(second, "‹"))
    back = await boris.edited(first.message_id, second)
    assert back.text == text

    await boris.tap(first.message_id, data(first, phrases.BUTTON_DISAGREED.ru))
    disagreed = await boris.edited(first.message_id, back)
    assert (disagreed.text or "").startswith(phrases.DISAGREED_TITLE.ru)
    # Beyond the end, as after an erasure: the last page.
    await boris.tap(first.message_id, "e:w:all:999999")
    last = await boris.edited(first.message_id, disagreed)
    assert [label for label, _ in buttons_of(last)[0]] == ["‹"]


@pytest.mark.usefixtures("live")
async def test_of_quick_taps_the_last_ones_page_is_shown(
    boris: Person, read: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = ErrorAnalysis.page

    async def slow_at_first(self: ErrorAnalysis, order: Order, span: Span, number: int) -> Page:
        await asyncio.sleep(0.3 if number == 1 else 0)
        return await page(self, order, span, number)

    first = await boris.ask("/errors all")
    monkeypatch.setattr(ErrorAnalysis, "page", slow_at_first)
    for number in (1, 2):
        await boris.tap(first.message_id, f"e:w:all:{number}")
    await Person(boris.http, EMILY).ask("/help")  # by then both taps have arrived
    await all_done(read)
    (shown,) = (m for m in await boris.from_bot() if m.message_id == first.message_id)
    assert "\n7–9 из " in str(shown.text)


async def test_nothing_to_show(boris: Person) -> None:
    page = await boris.ask("/errors")
    assert phrases.NOTHING_WORST.ru in (page.text or "")
    assert (await boris.ask("/errors 5y")).text == RUSSIAN(BAD_SPAN, command="/errors")
    assert await boris.tap_and_wait(page.message_id, "e:w:1y:0") == conversation.TOAST_OLD_BUTTON.ru


@pytest.mark.usefixtures("live")
async def test_the_table_has_every_review(boris: Person, read: Sessions) -> None:
    page = await boris.ask("/errors all")
    sent, content = await file(boris, page, phrases.BUTTON_CSV.ru)
    assert sent.document is not None
    assert sent.document.file_name == "kinorate-all.csv"
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    stored = await reviews(read)
    assert [row["text"] for row in rows] == [review.text for review in stored[:-1]] + [f"'{EVIL}"]
    worst = rows[-1]
    assert tuple(worst) == COLUMNS
    assert (worst["given_rating"], worst["given_sentiment"], worst["asked"]) == ("0", "Bad", "1")
    assert (worst["cls_sentiment"], worst["cls_sentiment_right"]) == ("Good", "0")
    assert (worst["mean_rating_error"], worst["mean_probability_good"]) == ("10", "0.9")
    unrated = next(row for row in rows if not row["given_rating"])
    assert unrated["cls_sentiment_right"] == unrated["cls_rating_error"] == unrated["asked"] == ""
    assert await actions(read) == [
        (BORIS, "export", {"format": "csv", "span": "all", "reviews": 151})
    ]


@pytest.mark.usefixtures("live")
async def test_the_page_is_whole_and_harmless(http: httpx.AsyncClient, read: Sessions) -> None:
    emily = Person(http, EMILY)
    message = await emily.ask("/errors 30d")
    _, content = await file(emily, message, phrases.BUTTON_HTML.en)
    page = content.decode()
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "&lt;v&gt;" in page
    assert not re.findall(r"""(?:src|href)=["'](?!#|data:)""", page)
    assert "default-src 'none'" in page
    for title in ("length", "sentiment", "confidence", "disagreement", "version"):
        assert f'<h2 id="{title}">' in page
    assert page.count("<article>") > 100
    ((admin, action, details),) = await actions(read)
    assert (admin, action) == (EMILY, "export")
    assert isinstance(details, dict)
    assert details["format"] == "html"


async def test_a_page_of_nothing(boris: Person) -> None:
    _, content = await file(boris, await boris.ask("/errors"), phrases.BUTTON_HTML.ru)
    assert phrases.PAGE_NO_ANSWERS.ru in content.decode()


@pytest.mark.usefixtures("live")
async def test_a_large_table_is_zipped(
    read: Sessions, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    service = ErrorAnalysis(read, lambda: datetime.now(UTC), Temporary(tmp_path / "temporary"))
    monkeypatch.setattr(error_analysis, "LARGEST", 30_000)
    async with service.table(SPANS["all"]) as (path, count):
        assert (path.name, count) == ("kinorate-all.zip", 151)
        with zipfile.ZipFile(path) as archive:
            assert archive.read("kinorate-all.csv").count(b"\r\n") == 152
    assert not path.exists()
    monkeypatch.setattr(error_analysis, "LARGEST", 100)
    with pytest.raises(TooLarge):
        async with service.table(SPANS["all"]):
            pass
    assert not list((tmp_path / "temporary").iterdir())


@pytest.mark.usefixtures("live")
async def test_pages_cover_every_review_once(read: Sessions, tmp_path: Path) -> None:
    service = ErrorAnalysis(read, lambda: datetime.now(UTC), Temporary(tmp_path / "temporary"))
    for order in Order:
        first = await service.page(order, SPANS["all"], 0)
        seen = []
        for number in range(first.last + 1):
            page = await service.page(order, SPANS["all"], number)
            seen += [hard.review.id for hard in page.reviews]
        assert len(seen) == len(set(seen)) == first.count


async def test_the_page_says_why_of_what_the_answering_version_said(
    running_bot: RunningBot, telegram: LocalServer, read: Sessions
) -> None:
    predictor = Weighing()
    async with (
        running_bot(predictor, admin_ids=[BORIS]),
        chat_client(telegram.url) as http,
    ):
        anya, boris = Person(http, ANYA), Person(http, BORIS)
        for version, text in (("older", "Ужасно. Шёл дождь, и мы ели попкорн."), ("newer", REVIEW)):
            predictor.version = version
            answer = await anya.ask(text)
            await anya.tap_and_wait(answer.message_id, rating_data(answer, 5))
        _, content = await file(boris, await boris.ask("/errors"), phrases.BUTTON_HTML.ru)
        page = content.decode()
        worst = page[page.index('<h2 id="worst">') : page.index('<h2 id="disagreed">')]
        assert worst.count("<article>") == 2
        assert worst.count(" · личный чат · ") == 2
        assert RUSSIAN(phrases.PAGE_EXPLAINED, explained=1, most=EXPLAINED) in worst
        assert worst.count('<div class="why">') == 1
        said = worst[worst.index('<div class="why">') :]
        assert RUSSIAN(reasons.PAGE_TITLE) in said
        assert '<b>▲\u00a0+4,5</b> <q lang="ru">Начало великолепно.</q>' in said
        assert '<b>▼\u00a0−0,3</b> <q lang="ru">Местами скучно.</q>' in said
        assert RUSSIAN(reasons.PAGE_DIFFER) in said
        assert "<b>дождь" not in page
