"""What both models said of late."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from db import pairs, users
from db.engine import Sessions
from db.models import Prediction, Review

pytestmark = pytest.mark.anyio


async def test_reviews_that_both_models_of_a_version_have_answered_lately(
    write: Sessions,
    read: Sessions,
    new_review: Callable[..., Review],
    new_prediction: Callable[..., Prediction],
    now: datetime,
) -> None:
    def pair(version: str, **columns: bool) -> list[Prediction]:
        shares = {"probability_bad": 0.5, "probability_neutral": 0.25, "probability_good": 0.25}
        return [
            new_prediction("cls", model_version=version, **columns),
            new_prediction("mean", model_version=version, **shares, **columns),
        ]

    stored = [
        new_review(1, text="старый", created_at=now - timedelta(days=8), predictions=pair("v2")),
        new_review(2, text="другой версии", predictions=pair("v1")),
        new_review(3, text="половина", predictions=pair("v2")[:1]),
        new_review(4, text="раз", predictions=pair("v2") + pair("v1")),
        new_review(5, text="два", predictions=pair("v2")),
        new_review(6, text="не целиком", predictions=pair("v2", in_short=True)),
    ]
    async with write.begin() as session:
        await users.seen(session, 1, "en-GB", now)
        session.add_all(stored)
    since = now - timedelta(days=7)
    async with read() as session:
        found = await pairs.sample(session, "v2", since, 10)
        one = await pairs.sample(session, "v2", since, 1)
        assert await pairs.sample(session, "v3", since, 10) == []
    assert {review.text for review in found} == {"раз", "два"}
    assert found[0].cls == (0.125, 0.25, 0.625)
    assert found[0].mean == (0.5, 0.25, 0.25)
    assert len(one) == 1


async def test_whose_telegram_speaks_what(write: Sessions, now: datetime) -> None:
    async with write.begin() as session:
        await users.seen(session, 1, "en-GB", now)
        assert await users.language(session, 1) == "en-GB"
        assert await users.language(session, 2) is None
