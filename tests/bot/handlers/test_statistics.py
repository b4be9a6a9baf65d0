"""/stats: for admins alone, over any span, and what it says is what the rows say."""

import io
import re
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from PIL import Image

from bot.local.server import LocalServer
from bot.services.comparison import ENOUGH
from bot.services.periods import SPANS, USUAL, parse_span
from bot.services.statistics import Overview, StatisticsService
from bot.texts import conversation, statistics
from bot.texts.locale import ENGLISH, RUSSIAN
from bot.texts.terms import BAD_SPAN
from bot.texts.terms import SPANS as SPAN_NAMES
from bot.views.stats import stats_message
from bot.views.stats_chart import draw_statistics
from classifier.labels import sentiment_of
from db import users
from db.engine import Sessions
from db.models import Prediction, Review
from tests.bot.conftest import RunningBot
from tests.bot.live_reviews import VERSIONS, add_live_reviews
from tests.bot.local_client import Person, chat_client
from tests.bot.talking import ANYA, BORIS, EMILY, GROUP, reviews, said_since

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 3, 14, 15, 30, tzinfo=UTC)


@pytest.fixture
async def http(running_bot: RunningBot, telegram: LocalServer) -> AsyncIterator[httpx.AsyncClient]:
    async with running_bot(admin_ids=[BORIS, EMILY]), chat_client(telegram.url) as client:
        yield client


async def overview(read: Sessions, span: str = "7d", now: datetime = NOW) -> Overview:
    return await StatisticsService(read, lambda: now).overview(SPANS[span])


def image(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


async def test_others_know_no_such_command(http: httpx.AsyncClient, read: Sessions) -> None:
    anya = Person(http, ANYA)
    assert (await anya.ask("/stats")).text == conversation.UNKNOWN_COMMAND.ru
    for person in (Person(http, ANYA, GROUP), Person(http, BORIS, GROUP)):
        (sent,) = await person.send("/stats")
        assert await said_since(person, read, sent.message_id) == []


async def test_an_admin_gets_figures_and_a_chart(
    http: httpx.AsyncClient, write: Sessions, read: Sessions
) -> None:
    async with write.begin() as session:
        await add_live_reviews(session, 600, datetime.now(UTC), 14)
    boris = Person(http, BORIS)
    (sent,) = await boris.send("/stats")
    answers = await boris.wait_until(lambda messages: any(message.photo for message in messages))
    text, photo = answers[-2:]
    assert text.message_id > sent.message_id
    assert "Отзывов: 300" in (text.text or "")
    assert photo.caption == RUSSIAN(statistics.CHART_CAPTION, window=statistics.CHART_WEEK.ru)
    biggest = photo.photo[-1]
    content = (await http.get(f"/chat/file/{biggest.file_id}")).content
    assert image(content).size == (1050, 1590)

    emily = Person(http, EMILY)
    assert ENGLISH(statistics.TITLE, span=SPAN_NAMES["all"].en) in (
        (await emily.ask("/stats all")).text or ""
    )


@pytest.mark.parametrize("arguments", ["7", "1w", "-1d", "7d 30d", "<b>"])
async def test_an_unknown_span(http: httpx.AsyncClient, arguments: str) -> None:
    said = await Person(http, BORIS).ask(f"/stats {arguments}")
    assert said.text == RUSSIAN(BAD_SPAN, command="/stats")


async def test_a_span_without_reviews(http: httpx.AsyncClient) -> None:
    said = await Person(http, BORIS).ask("/stats 24h")
    assert statistics.NOTHING.ru in (said.text or "")


def test_spans() -> None:
    assert parse_span([]) is USUAL is SPANS["7d"]
    assert parse_span(["ALL"]) is SPANS["all"]
    assert parse_span(["365d"]) is None


async def test_the_message_says_what_the_rows_say(write: Sessions, read: Sessions) -> None:
    async with write.begin() as session:
        await add_live_reviews(session, 1500, NOW, 14)
    text = stats_message(await overview(read), RUSSIAN)
    live = [row for row in await reviews(read) if row.created_at >= NOW - timedelta(days=7)]
    rated = [row for row in live if row.feedback]
    assert f"Отзывов: {len(live)}, авторов: {len({row.user_id for row in live})}" in text
    assert f"Оценено: {len(rated)} ({round(100 * len(rated) / len(live))}\u00a0%)" in text

    asked = [row for row in rated if row.feedback[0].asked]
    figures: dict[str, list[str]] = {}
    right: dict[str, list[bool]] = {}
    for pooling in ("cls", "mean"):
        pairs = [(_said(row, pooling), row.feedback[0].rating) for row in asked]
        right[pooling] = [said.sentiment == sentiment_of(true) for said, true in pairs]
        errors = [abs((said.rating or 0) - true) for said, true in pairs]
        figures[pooling] = [
            f"{round(100 * sum(right[pooling]) / len(asked))}\u00a0%",
            f"{sum(errors) / len(asked):.2f}".replace(".", ","),
        ]
    for place, label in enumerate(("Точность", "MAE оценки")):
        row = next(line for line in text.splitlines() if line.startswith(label))
        assert re.split(r" {2,}", row)[1:] == [figures["cls"][place], figures["mean"][place]]
    alone = Counter(zip(right["cls"], right["mean"], strict=True))
    assert f"только у CLS: {alone[True, False]}, только у Mean: {alone[False, True]}." in text
    assert f"по просьбе: {len(asked)}." in text
    assert f"Остальные оценки: {len(rated) - len(asked)}." in text
    in_short = [row for row in live if _said(row, "cls").in_short]
    share = round(100 * len(in_short) / len(live))
    assert f"когда писали многие: {len(in_short)} ({share}\u00a0%)" in text
    assert f"Из них оценено: {sum(bool(row.feedback) for row in in_short)}." in text
    assert "<b>Mean " in text, "it is the better one"


def _said(review: Review, pooling: str) -> Prediction:
    return next(row for row in review.predictions if row.pooling == pooling)


async def test_every_span_in_both_languages_fits_a_message(
    write: Sessions, read: Sessions, http: httpx.AsyncClient
) -> None:
    async with write.begin() as session:
        await add_live_reviews(session, 400, NOW, 40)
    for span in SPANS:
        found = await overview(read, span)
        for locale in (RUSSIAN, ENGLISH):
            text = stats_message(found, locale)
            assert len(text) < 2500
            widest = max(map(len, text[text.index("<pre>") : text.index("</pre>")].splitlines()))
            assert widest <= len("<pre>") + 28
            both_versions = span in ("30d", "all")
            assert all(version in text for version in VERSIONS) == both_versions
            assert (locale(statistics.VERSIONS_IN_WHOLE) in text) == both_versions


async def test_too_few_answers_yet(write: Sessions, read: Sessions) -> None:
    async with write.begin() as session:
        await add_live_reviews(session, 100, NOW, 6)
    found = await overview(read)
    assert found.comparison.answers < ENOUGH
    for locale in (RUSSIAN, ENGLISH):
        verdict = locale(statistics.TOO_FEW, answers=found.comparison.answers, enough=ENOUGH)
        assert verdict in stats_message(found, locale)


async def test_a_rolling_figure_looks_back_a_week(write: Sessions, read: Sessions) -> None:
    async with write.begin() as session:
        await add_live_reviews(session, 900, NOW, 20)
    found = await overview(read)
    stored = await reviews(read)
    for pooling, points in found.trend.items():
        assert [point.moment for point in points][:2] == [
            datetime(2026, 3, 8, tzinfo=UTC),
            datetime(2026, 3, 9, tzinfo=UTC),
        ]
        assert points[-1].moment == NOW
        for point in points[:-1]:
            week = [
                (_said(row, pooling), row.feedback[0].rating)
                for row in stored
                if point.moment - timedelta(days=7) <= row.created_at < point.moment
                if row.feedback
                if row.feedback[0].asked
            ]
            hits = sum(said.sentiment == sentiment_of(true) for said, true in week)
            misses = sum(abs((said.rating or 0) - true) for said, true in week)
            assert point.accuracy == pytest.approx(hits / len(week))
            assert point.mae == pytest.approx(misses / len(week))


async def test_whatever_is_missing_a_chart_is_drawn(write: Sessions, read: Sessions) -> None:
    """One model without a rating head, and nobody has rated anything."""
    async with write.begin() as session:
        await users.seen(session, 1, "ru", NOW)
        review = Review(
            user_id=1, chat_id=1, message_id=1, update_id=1, text="Хорошо", source="private",
            reply_message_id=2, created_at=NOW - timedelta(days=1),
        )  # fmt: skip
        review.predictions.append(
            Prediction(
                pooling="mean", model_version="v", sentiment=2, probability_bad=0.1,
                probability_neutral=0.1, probability_good=0.8, rating=None,
                rating_probabilities=None, rating_confidence=None, milliseconds=3,
                created_at=review.created_at,
            )
        )  # fmt: skip
        session.add(review)
    found = await overview(read)
    assert found.comparison.accuracy is None
    text = stats_message(found, RUSSIAN)
    assert RUSSIAN(statistics.TOO_FEW, answers=0, enough=ENOUGH) in text
    for locale in (RUSSIAN, ENGLISH):
        assert image(draw_statistics(found, locale)).format == "PNG"
