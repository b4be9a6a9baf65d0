"""The statistics equal a plain computation on random rows, and are quick on many."""

import math
import random
import sqlite3
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from db import pairs, users
from db.engine import Sessions
from db.measures import Period
from db.models import Feedback, Prediction, Review
from db.pairs import UserSums
from db.statistics import Predicted, Step, answered, predicted, steps, written

pytestmark = pytest.mark.anyio

ALWAYS = Period(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
BINS = 15


def sentiment_of(rating: int) -> int:
    return 0 if rating <= 5 else 1 if rating == 6 else 2


@pytest.fixture
async def rows(
    write: Sessions,
    new_review: Callable[..., Review],
    new_prediction: Callable[..., Prediction],
    now: datetime,
) -> tuple[list[Review], list[Feedback]]:
    """Reviews of every kind over ten days, some predicted by two versions, some not rated."""
    chance = random.Random(0)

    def predictions(moment: datetime) -> list[Prediction]:
        made = []
        for version in ("v1", "v2")[: chance.choice((1, 1, 2))]:
            rated = chance.random() < 0.8
            for pooling in chance.choice((("cls", "mean"), ("cls", "mean"), ("cls",), ("mean",))):
                parts = [chance.random() for _ in range(3)]
                bad, neutral, good = (part / sum(parts) for part in parts)
                columns = {
                    "probability_bad": bad,
                    "probability_neutral": neutral,
                    "probability_good": good,
                    "model_version": version,
                    "sentiment": chance.choices(range(3), (2, 1, 5))[0],
                    "milliseconds": chance.lognormvariate(3, 1),
                    "created_at": moment,
                    "rating": chance.randrange(11) if rated else None,
                    "rating_probabilities": [1.0] if rated else None,
                    "rating_confidence": 0.5 if rated else None,
                    "in_short": chance.random() < 0.2,
                }
                made.append(new_prediction(pooling, **columns))
        return made

    reviews = []
    for update_id in range(300):
        moment = now + timedelta(days=chance.uniform(0, 10))
        review = new_review(
            update_id,
            user_id=chance.randrange(40),
            created_at=moment,
            predictions=predictions(moment),
        )
        reviews.append(review)
    async with write.begin() as session:
        for user_id in range(40):
            await users.seen(session, user_id, "ru", now)
        session.add_all(reviews)
        await session.flush()
        feedback = [
            Feedback(
                review_id=review.id,
                user_id=user_id,
                rating=chance.randrange(11),
                asked=chance.random() < 0.3,
                held_out=False,
                created_at=now,
                updated_at=now,
            )
            for review in reviews
            for user_id in chance.sample(range(40), chance.choice((0, 0, 1, 1, 2)))
        ]
        session.add_all(feedback)
    return reviews, feedback


@pytest.mark.parametrize(("first_day", "last_day"), [(-1, 20), (3, 7)])
async def test_statistics_equal_a_plain_computation(
    read: Sessions,
    rows: tuple[list[Review], list[Feedback]],
    now: datetime,
    first_day: int,
    last_day: int,
) -> None:
    period = Period(now + timedelta(days=first_day), now + timedelta(days=last_day))
    async with read() as session:
        totals = await written(session, period)
        quickest_first = await predicted(session, period)
        groups = await answered(session, period, BINS)
        found = await pairs.count(session, period, sentiment_of)
    reviews = [row for row in rows[0] if period.since <= row.created_at < period.until]
    fed = {review.id: [row for row in rows[1] if row.review_id == review.id] for review in reviews}
    assert len(reviews) > 50
    assert totals.reviews == len(reviews)
    assert totals.users == len({review.user_id for review in reviews})
    assert totals.rated == sum(map(bool, fed.values()))

    said = [row for review in reviews for row in review.predictions]
    by_latency: dict[tuple[int, str], list[int]] = {}
    in_short: Counter[tuple[int, str]] = Counter()
    for row in said:
        key = round(row.milliseconds * 10), row.pooling
        by_latency.setdefault(key, [0, 0, 0])[row.sentiment] += 1
        in_short[key] += row.in_short
    assert quickest_first == [
        Predicted(*key, in_short[key], tuple(n)) for key, n in sorted(by_latency.items())
    ]

    confidences: defaultdict[tuple[Any, ...], list[float]] = defaultdict(list)
    for row in said:
        shares = (row.probability_bad, row.probability_neutral, row.probability_good)
        confidence = shares[row.sentiment]
        for answer in fed[row.review_id]:
            kind = (
                *(math.ceil(confidence * BINS) - 1, answer.rating, row.rating, row.sentiment),
                *(answer.asked, row.in_short, row.pooling, row.model_version),
            )
            confidences[kind].append(confidence)
    counted: dict[tuple[Any, ...], Any] = {row[:8]: row[8:] for row in groups}
    assert counted == {
        key: (len(values), pytest.approx(sum(values))) for key, values in confidences.items()
    }
    assert len(groups) == len(confidences)

    both = [
        (review, cls, mean)
        for review in reviews
        for cls in review.predictions
        for mean in review.predictions
        if (cls.pooling, mean.pooling) == ("cls", "mean")
        and cls.model_version == mean.model_version
    ]
    both_rated = [
        (cls.rating, mean.rating)
        for _, cls, mean in both
        if cls.rating is not None
        if mean.rating is not None
    ]
    right = Counter(
        (cls.sentiment == truth, mean.sentiment == truth)
        for review, cls, mean in both
        for truth in (sentiment_of(answer.rating) for answer in fed[review.id] if answer.asked)
    )
    assert found.reviews == len(both)
    assert found.same_sentiment == sum(cls.sentiment == mean.sentiment for _, cls, mean in both)
    assert found.rated == len(both_rated)
    assert found.within(0) == sum(cls == mean for cls, mean in both_rated)
    assert found.within(1) == sum(abs(cls - mean) <= 1 for cls, mean in both_rated)
    assert found.all_users.answers == sum(right.values())
    assert found.all_users.only_cls_right == right[True, False]
    assert found.all_users.only_mean_right == right[False, True]
    of_user: defaultdict[int, list[UserSums]] = defaultdict(list)
    for review, cls, mean in both:
        for answer in filter(lambda given: given.asked, fed[review.id]):
            true, rated = sentiment_of(answer.rating), None not in (cls.rating, mean.rating)
            hits = (cls.sentiment == true, mean.sentiment == true)
            cls_error, mean_error = (abs((one.rating or 0) - answer.rating) for one in (cls, mean))
            sums = UserSums(
                answers=1,
                only_cls_right=hits == (True, False),
                only_mean_right=hits == (False, True),
                rated=rated,
                error=mean_error - cls_error if rated else 0,
            )
            of_user[answer.user_id].append(sums)
    of_all = (UserSums(*map(sum, zip(*answers, strict=True))) for answers in of_user.values())
    assert sorted(found.users) == sorted(of_all)


async def test_steps_equal_a_plain_computation(
    read: Sessions, rows: tuple[list[Review], list[Feedback]], now: datetime
) -> None:
    period, day = Period(now + timedelta(days=2), now + timedelta(days=9)), 86_400
    async with read() as session:
        found = await steps(session, period, day, sentiment_of)
    made = [(said, review) for review in rows[0] for said in review.predictions]
    expected: dict[tuple[str, datetime], list[tuple[Prediction, Feedback]]] = {}
    for said, review in made:
        for given in rows[1]:
            inside = period.since <= said.created_at < period.until
            if given.review_id == review.id and inside and given.asked:
                begins = said.created_at.replace(hour=0, minute=0, second=0, microsecond=0)
                expected.setdefault((said.pooling, begins), []).append((said, given))
    assert found == [
        Step(
            pooling,
            begins,
            answers=len(given),
            right=sum(sentiment_of(true.rating) == said.sentiment for said, true in given),
            rated=sum(said.rating is not None for said, _ in given),
            absolute_error=sum(
                abs(said.rating - true.rating) for said, true in given if said.rating is not None
            ),
        )
        for (pooling, begins), given in sorted(expected.items())
    ]


async def test_statistics_of_nothing(read: Sessions) -> None:
    async with read() as session:
        assert await written(session, ALWAYS) == (0, 0, 0, 0)
        assert await predicted(session, ALWAYS) == []
        assert await answered(session, ALWAYS, BINS) == []
        found = await pairs.count(session, ALWAYS, sentiment_of)
    assert (found.reviews, found.rated, found.users, found.all_users) == (0, 0, [], UserSums())


async def test_predictions_that_nobody_answered(
    write: Sessions, new_review: Callable[..., Review], now: datetime
) -> None:
    async with write.begin() as session:
        await users.seen(session, 1, "ru", now)
        session.add(new_review(1))
        await session.flush()
        second = Period(now, now + timedelta(seconds=1))
        assert await answered(session, second, BINS) == []
        assert Predicted(125, "mean", 0, (0, 0, 1)) in await predicted(session, second)
        # The end of a period is the beginning of the next.
        before = Period(now - timedelta(days=1), now)
        assert (await written(session, before)).reviews == 0
        assert await predicted(session, before) == []
        assert (await pairs.count(session, before, sentiment_of)).reviews == 0


MANY = 100_000
FILL = [
    f"""
    CREATE TEMPORARY TABLE numbers AS
    WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {MANY})
    SELECT n, strftime('%Y-%m-%d %H:%M:%S.000000', '2026-01-01', n || ' minutes') AS now
    FROM numbers""",
    """
    INSERT INTO users (id, language, is_active, created_at, last_seen_at)
    SELECT n, 'ru', true, now, now FROM numbers WHERE n <= 1000""",
    """
    INSERT INTO reviews (id, user_id, chat_id, message_id, update_id, text, source, created_at)
    SELECT n, 1 + n % 1000, n, n, n, :text, 'private', now FROM numbers""",
    """
    INSERT INTO predictions (
        review_id, pooling, model_version, sentiment, probability_bad, probability_neutral,
        probability_good, rating, rating_probabilities, rating_confidence, milliseconds, created_at)
    SELECT n, pooling, '20260301T000000Z-0a1b2c3d', n * factor % 3,
        n * 31 % 100 / 200.0, n * 17 % 100 / 200.0, n * 3 % 100 / 100.0,
        n * factor % 11, :distribution, 0.5, n * factor % 1009, now
    FROM numbers CROSS JOIN (SELECT 'cls' AS pooling, 7 AS factor UNION SELECT 'mean', 11)
    ORDER BY n""",
    """
    INSERT INTO feedback (review_id, user_id, rating, asked, held_out, created_at, updated_at)
    SELECT n, 1 + n % 1000, n * 13 % 11, n % 4 > 0, false, now, now
    FROM numbers WHERE n % 10 < 3""",
]


# The same work for the machine whatever the schema: it groups as many numbers as predictions.
YARDSTICK = f"""
    WITH RECURSIVE numbers(n) AS
        (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {2 * MANY})
    SELECT n % 11, n % 3, n % 2, count(*), sum(n * 0.5)
    FROM numbers GROUP BY n % 11, n % 3, n % 2"""


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
async def test_a_hundred_thousand_reviews_take_about_a_second(url: str, read: Sessions) -> None:
    values = {
        "text": "Длинная рецензия. " * 10,
        "distribution": str([0.09090909090909091] * 11),
    }
    with closing(sqlite3.connect(url.removeprefix("sqlite+aiosqlite:///"))) as database:
        for statement in FILL:
            database.execute(statement, values)
        database.commit()
    seconds, yardsticks = [], []
    for _ in range(3):
        # Processor time, the database's thread included: a clock would measure other programs too.
        # These slow a core down all the same, by half and more: the yardstick is timed beside it.
        started = time.process_time()
        async with read() as session:
            for _ in range(5):
                await session.execute(text(YARDSTICK))
        yardsticks.append(time.process_time() - started)
        started = time.process_time()
        async with read() as session:
            totals = await written(session, ALWAYS)
            made = await predicted(session, ALWAYS)
            groups = await answered(session, ALWAYS, BINS)
            both = await pairs.count(session, ALWAYS, sentiment_of)
            by_day = await steps(session, ALWAYS, 86_400, sentiment_of)
        seconds.append(time.process_time() - started)
    print(
        f"\n/stats asks {MANY:,} reviews for {min(seconds):.2f} s;"
        f" yardstick {min(yardsticks):.2f} s"
    )
    assert totals == (MANY, 1000, 3 * MANY // 10, 0)
    assert both.reviews == sum(sum(row.sentiments) for row in made if row.pooling == "cls") == MANY
    assert sum(row.times for row in groups) == 2 * totals.rated
    asked = sum(row.times for row in groups if row.asked)
    assert sum(step.answers for step in by_day) == asked == 2 * both.all_users.answers > 0
    assert min(seconds) < 1.5 * min(yardsticks)
