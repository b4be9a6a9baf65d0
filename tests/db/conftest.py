"""Each test that asks for a database runs on SQLite and on PostgreSQL."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from db import migrate
from db.models import Prediction, Review
from tests.postgres import PostgresServer

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
NewPrediction = Callable[..., Prediction]
NewReview = Callable[..., Review]


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def new_prediction() -> NewPrediction:
    """Builds a prediction of one pooling; any column can be given."""

    def build(pooling: str, **columns: Any) -> Prediction:
        distribution = [0.0] * 8 + [0.5, 0.25, 0.25]
        usual: dict[str, Any] = {
            "model_version": "20260301T000000Z-0a1b2c3d",
            "sentiment": 2,
            "probability_bad": 0.125,
            "probability_neutral": 0.25,
            "probability_good": 0.625,
            "rating": 8,
            "rating_probabilities": distribution,
            "rating_confidence": 0.75,
            "milliseconds": 12.5,
            "created_at": NOW,
        }
        return Prediction(pooling=pooling, **usual | columns)

    return build


@pytest.fixture
def new_review(new_prediction: NewPrediction) -> NewReview:
    """Builds a review of user 1 with both predictions; any column can be given."""

    def build(update_id: int, **columns: Any) -> Review:
        usual: dict[str, Any] = {
            "user_id": 1,
            "chat_id": -(2**40),
            "message_id": update_id,
            "text": "Фильм хороший",
            "source": "private",
            "reply_message_id": update_id + 1,
            "created_at": NOW,
            "predictions": [new_prediction("cls"), new_prediction("mean")],
        }
        return Review(update_id=update_id, **usual | columns)

    return build


@pytest.fixture
def url(migrated_url: str) -> str:
    """What changes a table takes own_url instead."""
    return migrated_url


@pytest.fixture
def empty_url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables."""
    if backend == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        server.execute(
            "without_tables",
            "DROP SCHEMA public CASCADE; CREATE SCHEMA public",
        )
        return server.url("without_tables")
    return f"sqlite+aiosqlite:///{tmp_path}/folder/kinorate.db"


@pytest.fixture
def own_url(empty_url: str) -> str:
    """A database with all tables, which the test may change."""
    migrate.upgrade(empty_url)
    return empty_url
