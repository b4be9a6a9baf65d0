"""What must always hold is refused by the database itself, whoever writes."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

pytestmark = pytest.mark.anyio

T = "2026-03-01 12:00:00+00"
ROWS: dict[str, dict[str, Any]] = {
    "users": {"id": 1, "language": "ru", "is_active": True, "created_at": T, "last_seen_at": T},
    "updates": {"update_id": 1, "payload": "{}", "received_at": T, "attempts": 0},
    "reviews": {
        "id": 1,
        "user_id": 1,
        "chat_id": 1,
        "message_id": 1,
        "update_id": 1,
        "text": "Хорошо",
        "source": "private",
        "created_at": T,
    },
    "predictions": {
        "id": 1,
        "review_id": 1,
        "pooling": "cls",
        "model_version": "v1",
        "sentiment": 2,
        "probability_bad": 0.0,
        "probability_neutral": 0.0,
        "probability_good": 1.0,
        "rating": 10,
        "rating_probabilities": "[]",
        "rating_confidence": 1.0,
        "milliseconds": 0.0,
        "created_at": T,
    },
    "feedback": {
        "id": 1,
        "review_id": 1,
        "user_id": 1,
        "rating": 0,
        "asked": False,
        "held_out": False,
        "created_at": T,
        "updated_at": T,
    },
    "feedback_history": {"id": 1, "feedback_id": 1, "rating": 0, "created_at": T},
    "training_runs": {"id": 1, "trigger": "schedule", "status": "running", "started_at": T},
    "admin_actions": {"id": 1, "admin_id": 1, "action": "promote", "created_at": T},
}


async def insert(connection: AsyncConnection, table: str, row: dict[str, Any]) -> None:
    """Insert plain SQL literals, past everything that Python could check or convert."""

    def literal(value: object) -> str:
        if value is None:
            return "NULL"
        return f"'{value}'" if isinstance(value, str) else str(value)

    names, values = ", ".join(row), ", ".join(map(literal, row.values()))
    await connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"))


@pytest.fixture
async def filled(engine: AsyncEngine) -> AsyncEngine:
    async with engine.begin() as connection:
        for table, row in ROWS.items():
            await insert(connection, table, row)
    return engine


BROKEN: list[tuple[str, dict[str, Any]]] = [
    ("users", {}),
    ("users", {"id": 3, "language": None}),
    ("updates", {}),
    ("updates", {"update_id": 2, "payload": None}),
    ("updates", {"update_id": 2, "done_at": T}),
    ("updates", {"update_id": 2, "attempts": -1}),
    ("updates", {"update_id": 2, "received_at": None}),
    ("reviews", {"id": 2}),  # the same update
    ("reviews", {"id": 2, "update_id": 2, "user_id": 99}),
    ("reviews", {"id": 2, "update_id": 2, "source": "channel"}),
    ("reviews", {"id": 2, "update_id": 2, "text": ""}),
    ("reviews", {"id": 2, "update_id": 2, "text": None}),
    ("reviews", {"id": 2, "update_id": 2, "replaces_review_id": 99}),
    ("reviews", {"id": 2, "update_id": 2, "replaces_review_id": 2}),
    ("predictions", {"id": 2}),  # the same pooling and version
    ("predictions", {"id": 2, "pooling": "mean", "review_id": 99}),
    ("predictions", {"id": 2, "pooling": "max"}),
    ("predictions", {"id": 2, "pooling": "mean", "sentiment": 3}),
    ("predictions", {"id": 2, "pooling": "mean", "sentiment": -1}),
    ("predictions", {"id": 2, "pooling": "mean", "probability_bad": 1.01}),
    ("predictions", {"id": 2, "pooling": "mean", "probability_neutral": -0.01}),
    ("predictions", {"id": 2, "pooling": "mean", "probability_good": 2}),
    ("predictions", {"id": 2, "pooling": "mean", "probability_good": None}),
    ("predictions", {"id": 2, "pooling": "mean", "rating": 11}),
    ("predictions", {"id": 2, "pooling": "mean", "rating": -1}),
    ("predictions", {"id": 2, "pooling": "mean", "rating": None}),
    ("predictions", {"id": 2, "pooling": "mean", "rating_confidence": None}),
    ("predictions", {"id": 2, "pooling": "mean", "rating_probabilities": None}),
    ("predictions", {"id": 2, "pooling": "mean", "rating_confidence": 1.01}),
    ("predictions", {"id": 2, "pooling": "mean", "milliseconds": -1}),
    ("feedback", {"id": 2}),  # the same user and review
    ("feedback", {"id": 2, "review_id": 99}),
    ("feedback", {"id": 2, "user_id": 99}),
    ("feedback", {"id": 2, "user_id": 2, "rating": 11}),
    ("feedback", {"id": 2, "user_id": 2, "rating": -1}),
    ("feedback", {"id": 2, "user_id": 2, "rating": None}),
    ("feedback", {"id": 2, "user_id": 2, "asked": None}),
    ("feedback", {"id": 2, "user_id": 2, "held_out": None}),
    ("feedback_history", {"id": 2, "feedback_id": 99}),
    ("feedback_history", {"id": 2, "rating": 11}),
    ("training_runs", {"id": 2}),  # a second one running
    ("training_runs", {"id": 2, "status": "done", "finished_at": T}),
    ("training_runs", {"id": 2, "status": "promoted"}),  # but not finished
    ("training_runs", {"id": 2, "status": "skipped", "finished_at": T, "trigger": "whim"}),
    ("admin_actions", {"id": 2, "admin_id": 99}),
    ("admin_actions", {"id": 2, "action": None}),
]

SOUND: list[tuple[str, dict[str, Any]]] = [
    ("updates", {"update_id": 2**62, "payload": None, "done_at": T}),
    ("reviews", {"id": 2, "update_id": 2, "source": "edit", "replaces_review_id": 1}),
    ("predictions", {"id": 2, "model_version": "v2"}),
    (
        "predictions",
        {
            "id": 2,
            "pooling": "mean",
            "rating": None,
            "rating_probabilities": None,
            "rating_confidence": None,
        },
    ),
    ("feedback", {"id": 2, "user_id": 2, "rating": 10}),
    ("training_runs", {"id": 2, "status": "refused", "finished_at": T}),
    ("admin_actions", {"id": 2, "admin_id": None}),
]


async def refused(connection: AsyncConnection, table: str, changes: dict[str, Any]) -> bool:
    savepoint = await connection.begin_nested()
    try:
        await insert(connection, table, ROWS[table] | changes)
    except IntegrityError:
        return True
    finally:
        await savepoint.rollback()
    return False


async def test_broken_rows_are_refused_and_sound_ones_taken(filled: AsyncEngine) -> None:
    async with filled.connect() as connection:
        # For feedback of another user, so that only what is wrong is wrong.
        await insert(connection, "users", ROWS["users"] | {"id": 2})
        for row in BROKEN:
            assert await refused(connection, *row), row
        for row in SOUND:
            assert not await refused(connection, *row), row


async def test_deleting_a_user_takes_everything_of_theirs(filled: AsyncEngine) -> None:
    async with filled.begin() as connection:
        await connection.execute(text("DELETE FROM users"))
        for table in ("reviews", "predictions", "feedback", "feedback_history"):
            assert await connection.scalar(text(f"SELECT count(*) FROM {table}")) == 0
        nobody = text("SELECT count(*) FROM admin_actions WHERE admin_id IS NULL")
        assert await connection.scalar(nobody) == 1


async def test_a_review_outlives_the_one_it_replaces(filled: AsyncEngine) -> None:
    changes = {"id": 2, "update_id": 2, "replaces_review_id": 1}
    async with filled.begin() as connection:
        await insert(connection, "reviews", ROWS["reviews"] | changes)
        await connection.execute(text("DELETE FROM reviews WHERE id = 1"))
        left = await connection.execute(text("SELECT id, replaces_review_id FROM reviews"))
        assert left.all() == [(2, None)]


async def test_the_id_of_an_erased_review_is_never_given_again(filled: AsyncEngine) -> None:
    row = {name: value for name, value in ROWS["reviews"].items() if name != "id"}
    async with filled.begin() as connection:
        await connection.execute(text("DELETE FROM reviews"))
        await insert(connection, "reviews", row | {"update_id": 2})
        given = await connection.scalar(text("SELECT max(id) FROM reviews"))
        await connection.execute(text("DELETE FROM reviews"))
        await insert(connection, "reviews", row | {"update_id": 3})
        assert await connection.scalar(text("SELECT id FROM reviews")) > given
