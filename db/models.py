"""The tables. A rule that must always hold is a constraint, so that the database enforces it."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

import sqlalchemy as sa
from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedAsDataclass, mapped_column, relationship
from sqlalchemy.types import TypeDecorator

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, aware and in UTC on its way in and out; SQLite itself keeps no time zone.

    A naive datetime is refused with ValueError (SQLAlchemy wraps it in a StatementError).
    """

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.utcoffset() is None:
            raise ValueError(f"{value!r} has no time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class AnyText(TypeDecorator[str]):
    """Text as people send it, whatever characters it has.

    PostgreSQL can't hold U+0000 and no UTF-8 can hold half of a surrogate pair. Both become
    U+FFFD, on both databases: one odd character in a file must not cost the review.
    """

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, _: sa.Dialect) -> str | None:
        return None if value is None else _UNSTORABLE.sub("\ufffd", value)


TelegramId = Annotated[int, mapped_column(sa.BigInteger)]
"""Ids of users, chats, messages and updates are Telegram's and exceed 32 bits."""

OwnerId = Annotated[int, mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)]
"""Whose row this is: it is deleted when the user is erased."""


def _partial_index(name: str, column: str, *, where: str, unique: bool = False) -> Index:
    condition = sa.text(where)
    return Index(name, column, unique=unique, sqlite_where=condition, postgresql_where=condition)


def _between(column: str, least: int, most: int) -> CheckConstraint:
    return CheckConstraint(f"{column} BETWEEN {least} AND {most}", name=column)


class Base(MappedAsDataclass, DeclarativeBase, repr=False, eq=False):
    """Rows are built with keyword arguments. Their repr has no content: logs hold no review."""

    # Batch migrations on SQLite find a constraint by its name alone.
    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    # none_as_null: a missing value is SQL's NULL, which constraints see, not JSON's null.
    type_annotation_map = {  # noqa: RUF012  (SQLAlchemy reads it off the class)
        datetime: UtcDateTime,
        dict[str, Any]: sa.JSON(none_as_null=True),
        list[float]: sa.JSON(none_as_null=True),
    }


class User(Base, kw_only=True):
    """Someone who has written to the bot."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    language: Mapped[str] = mapped_column(String(35))  # an IETF tag, such as "ru"
    is_active: Mapped[bool] = mapped_column(default=True)  # False once they blocked the bot
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]


class Process(Base, kw_only=True):
    """A bot that runs. Whoever finds one dead deletes its row, which frees what it has claimed."""

    __tablename__ = "processes"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    started_at: Mapped[datetime]
    alive_until: Mapped[datetime]  # its lease, which it renews while it works
    model: Mapped[str | None] = mapped_column(String(64), default=None)  # it answers with
    promoted_at: Mapped[datetime | None] = mapped_column(default=None)  # when that was promoted


class Update(Base, kw_only=True):
    """The inbox: what Telegram sent, kept until it is handled.

    The row stays some days after that, as the mark that the update was seen, but does not tell any
    more what was said and by whom. An unreadable update keeps its payload as long, and is not tried
    again. A claimed one is in the hands of a process, and no other may handle it. A held one, whose
    sender knows so, waits for a process that has models.
    """

    __tablename__ = "updates"
    __table_args__ = (
        CheckConstraint("(done_at IS NULL) = (payload IS NOT NULL)", name="payload_until_done"),
        CheckConstraint("done_at IS NULL OR user_id IS NULL", name="sender_until_done"),
        CheckConstraint("attempts >= 0", name="attempts"),
        _partial_index("ix_updates_pending", "received_at", where="done_at IS NULL"),
        _partial_index("ix_updates_claimed_by", "claimed_by", where="claimed_by IS NOT NULL"),
    )

    update_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    # Not a foreign key: the inbox is written before it is known who that is.
    user_id: Mapped[TelegramId | None] = mapped_column(index=True)
    payload: Mapped[dict[str, Any] | None]
    received_at: Mapped[datetime]
    done_at: Mapped[datetime | None] = mapped_column(default=None)
    attempts: Mapped[int] = mapped_column(default=0)
    unreadable: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    claimed_by: Mapped[str | None] = mapped_column(
        ForeignKey("processes.name", ondelete="SET NULL"), default=None
    )
    claimed_since: Mapped[datetime | None] = mapped_column(default=None)
    held_at: Mapped[datetime | None] = mapped_column(default=None)


class Review(Base, kw_only=True):
    """One text that was predicted and answered. An edited message is a new one that replaces it."""

    __tablename__ = "reviews"
    __table_args__ = (
        CheckConstraint("source IN ('private', 'group', 'document', 'edit')", name="source"),
        CheckConstraint("text <> ''", name="text"),
        CheckConstraint("replaces_review_id <> id", name="replaces_another"),
        Index(None, "chat_id", "message_id"),
        Index(None, "created_at", "user_id"),  # counting a period never reads the texts
        # SQLite would give an erased review's id to the next one, and a button under the old
        # reply would then rate somebody else's review.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    user_id: Mapped[OwnerId]
    chat_id: Mapped[TelegramId]
    message_id: Mapped[TelegramId]
    update_id: Mapped[TelegramId] = mapped_column(unique=True)
    text: Mapped[str] = mapped_column(AnyText)
    source: Mapped[str] = mapped_column(String(8))
    reply_message_id: Mapped[TelegramId | None]  # None where the reply could not be sent
    created_at: Mapped[datetime]
    replaces_review_id: Mapped[int | None] = mapped_column(
        ForeignKey("reviews.id", ondelete="SET NULL"), index=True, default=None
    )
    # Why the answer asks for the rating: "random", the share that figures are of; "uncertain", for
    # the models disagree; None: it doesn't.
    asked_for: Mapped[str | None] = mapped_column(String(9), default=None)

    predictions: Mapped[list["Prediction"]] = relationship(
        lazy="raise", passive_deletes=True, order_by="Prediction.id", default_factory=list
    )
    feedback: Mapped[list["Feedback"]] = relationship(
        lazy="raise", passive_deletes=True, order_by="Feedback.id", default_factory=list, init=False
    )


class Prediction(Base, kw_only=True):
    """What one pooling of one model version predicted of a review."""

    __tablename__ = "predictions"
    __table_args__ = (
        UniqueConstraint("review_id", "pooling", "model_version"),
        CheckConstraint("pooling IN ('cls', 'mean')", name="pooling"),
        _between("sentiment", 0, 2),
        *(_between(f"probability_{one}", 0, 1) for one in ("bad", "neutral", "good")),
        _between("rating", 0, 10),
        _between("rating_confidence", 0, 1),
        CheckConstraint(
            "(rating IS NULL) = (rating_probabilities IS NULL)"
            " AND (rating IS NULL) = (rating_confidence IS NULL)",
            name="whole_rating",
        ),
        CheckConstraint("milliseconds >= 0", name="milliseconds"),
        # Holds all that is counted of a period, so that the rows, which the distributions make far
        # larger, are not read for it.
        Index(
            "ix_predictions_counted",
            *("created_at", "review_id", "pooling", "model_version", "sentiment"),
            *("probability_bad", "probability_neutral", "probability_good"),
            *("rating", "milliseconds", "in_short"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    review_id: Mapped[int] = mapped_column(
        ForeignKey("reviews.id", ondelete="CASCADE"), init=False
    )  # by the unique constraint it has an index
    pooling: Mapped[str] = mapped_column(String(4))
    model_version: Mapped[str] = mapped_column(String(64))
    sentiment: Mapped[int]  # 0 Bad, 1 Neutral, 2 Good
    # A column each, so that calibration and drift can be SQL aggregates.
    probability_bad: Mapped[float]
    probability_neutral: Mapped[float]
    probability_good: Mapped[float]
    rating: Mapped[int | None]  # these three are None for a model without a rating head
    rating_probabilities: Mapped[list[float] | None]
    rating_confidence: Mapped[float | None]
    milliseconds: Mapped[float]
    created_at: Mapped[datetime]
    tokens: Mapped[int | None] = mapped_column(default=None)  # read; unknown of old predictions
    # Fewer than the model reads where nobody waits; both models read the same of a review.
    in_short: Mapped[bool] = mapped_column(default=False, server_default=sa.false())


class Feedback(Base, kw_only=True):
    """The rating a user says is the true one, as it stands now."""

    __tablename__ = "feedback"
    __table_args__ = (UniqueConstraint("review_id", "user_id"), _between("rating", 0, 10))

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    review_id: Mapped[int] = mapped_column(ForeignKey("reviews.id", ondelete="CASCADE"))
    user_id: Mapped[OwnerId]
    rating: Mapped[int]
    asked: Mapped[bool]  # the bot asked for it at random; not volunteered
    held_out: Mapped[bool]  # never trained on
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    history: Mapped[list["FeedbackHistory"]] = relationship(
        lazy="raise",
        passive_deletes=True,
        order_by="FeedbackHistory.id",
        default_factory=list,
        init=False,
    )


class FeedbackHistory(Base, kw_only=True):
    """Every rating that a feedback has had, the present one included."""

    __tablename__ = "feedback_history"
    __table_args__ = (_between("rating", 0, 10),)

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    feedback_id: Mapped[int] = mapped_column(
        ForeignKey("feedback.id", ondelete="CASCADE"), index=True
    )
    rating: Mapped[int]
    created_at: Mapped[datetime]


class Judgement(Base, kw_only=True):
    """An admin's word on a rating, apart from the rating itself: only an admin takes it back.

    Of those on one rating the last one stands, or the one before it where that was taken back.
    """

    __tablename__ = "judgements"
    __table_args__ = (
        _between("rating", 0, 10),
        _between("given", 0, 10),
        _partial_index("uq_judgements_standing", "feedback_id", where="stands", unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    feedback_id: Mapped[int] = mapped_column(
        ForeignKey("feedback.id", ondelete="CASCADE"), index=True
    )
    # Who judged; several ratings may be judged in one action.
    action_id: Mapped[int] = mapped_column(
        ForeignKey("admin_actions.id", ondelete="CASCADE"), index=True
    )
    rating: Mapped[int | None]  # the true one; None: the user's is wrong, and the true one unknown
    given: Mapped[int]  # the user's rating at that time
    previous_id: Mapped[int | None] = mapped_column(
        ForeignKey("judgements.id", ondelete="SET NULL"), index=True
    )
    stands: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]


_RUNNING = "status = 'running'"


class TrainingRun(Base, kw_only=True):
    """One retraining: why it ran, how it ended, and the figures it was judged by."""

    __tablename__ = "training_runs"
    __table_args__ = (
        CheckConstraint("trigger IN ('schedule', 'admin')", name="trigger"),
        CheckConstraint(
            "status IN ('running', 'promoted', 'refused', 'failed', 'cancelled', 'interrupted',"
            " 'skipped')",
            name="status",
        ),
        CheckConstraint(f"({_RUNNING}) = (finished_at IS NULL)", name="finished"),
        # One at a time, across processes too.
        _partial_index("uq_training_runs_running", "status", where=_RUNNING, unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    trigger: Mapped[str] = mapped_column(String(8))
    status: Mapped[str] = mapped_column(String(11))
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    version: Mapped[str | None] = mapped_column(String(64))  # what it trained
    figures: Mapped[dict[str, Any] | None]
    reason: Mapped[str | None] = mapped_column(AnyText)  # why it was skipped, refused, failed
    # Another process than the one that retrains was asked to end it.
    cancel_requested: Mapped[bool] = mapped_column(default=False, server_default=sa.false())


class AdminAction(Base, kw_only=True):
    """What an admin did. The record outlives the admin's erasure, without their id."""

    __tablename__ = "admin_actions"

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    admin_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True
    )
    action: Mapped[str] = mapped_column(String(64))
    details: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime]


class Admissions(Base, kw_only=True):
    """Which messages of one person were within one limit: needed for some minutes."""

    __tablename__ = "admissions"

    # The limit, and the person under a name from which nobody learns the id without the secret.
    limited: Mapped[str] = mapped_column(String(80), primary_key=True)
    state: Mapped[dict[str, Any]]
    needed_until: Mapped[datetime] = mapped_column(index=True)


class Installation(Base, kw_only=True):
    """The one row of what is this installation's own."""

    __tablename__ = "installation"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    secret: Mapped[bytes]  # nobody who writes reviews can compute what depends on it
