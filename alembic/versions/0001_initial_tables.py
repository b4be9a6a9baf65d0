"""Initial tables. Constraints and indexes get their names by the convention of db/models.py."""

import sqlalchemy as sa

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "training_runs",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("trigger", sa.String(8), nullable=False),
        sa.Column("status", sa.String(11), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("version", sa.String(64)),
        sa.Column("figures", sa.JSON(none_as_null=True)),
        sa.Column("reason", sa.Text()),
        sa.CheckConstraint("(status = 'running') = (finished_at IS NULL)", name="finished"),
        sa.CheckConstraint(
            "status IN ('running', 'promoted', 'refused', 'failed', 'cancelled', 'interrupted',"
            " 'skipped')",
            name="status",
        ),
        sa.CheckConstraint("trigger IN ('schedule', 'admin')", name="trigger"),
        partial_index("uq_training_runs_running", "status", "status = 'running'", unique=True),
    )

    op.create_table(
        "updates",
        sa.Column("update_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("user_id", sa.BigInteger(), index=True),
        sa.Column("payload", sa.JSON(none_as_null=True)),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True)),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.CheckConstraint("(done_at IS NULL) = (payload IS NOT NULL)", name="payload_until_done"),
        sa.CheckConstraint("attempts >= 0", name="attempts"),
        partial_index("ix_updates_pending", "received_at", "done_at IS NULL"),
    )

    op.create_table(
        "users",
        sa.Column("id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("language", sa.String(35), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "admin_actions",
        sa.Column("id", sa.Integer(), primary_key=True),
        owner("admin_id", "users.id", "SET NULL"),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("details", sa.JSON(none_as_null=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )

    op.create_table(
        "reviews",
        sa.Column("id", sa.Integer(), primary_key=True),
        owner("user_id", "users.id"),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("update_id", sa.BigInteger(), nullable=False, unique=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("source", sa.String(8), nullable=False),
        sa.Column("reply_message_id", sa.BigInteger()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        owner("replaces_review_id", "reviews.id", "SET NULL"),
        sa.CheckConstraint("source IN ('private', 'group', 'document', 'edit')", name="source"),
        sa.CheckConstraint("text <> ''", name="text"),
        sa.CheckConstraint("replaces_review_id <> id", name="replaces_another"),
        sa.Index(None, "chat_id", "message_id"),
        sa.Index(None, "created_at", "user_id"),
        sqlite_autoincrement=True,
    )

    op.create_table(
        "feedback",
        sa.Column("id", sa.Integer(), primary_key=True),
        owner("review_id", "reviews.id", index=False),
        owner("user_id", "users.id"),
        sa.Column("rating", sa.Integer(), nullable=False),
        sa.Column("asked", sa.Boolean(), nullable=False),
        sa.Column("held_out", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        between("rating", 0, 10),
        sa.UniqueConstraint("review_id", "user_id"),
    )

    op.create_table(
        "predictions",
        sa.Column("id", sa.Integer(), primary_key=True),
        owner("review_id", "reviews.id", index=False),
        sa.Column("pooling", sa.String(4), nullable=False),
        sa.Column("model_version", sa.String(64), nullable=False),
        sa.Column("sentiment", sa.Integer(), nullable=False),
        sa.Column("probability_bad", sa.Double(), nullable=False),
        sa.Column("probability_neutral", sa.Double(), nullable=False),
        sa.Column("probability_good", sa.Double(), nullable=False),
        sa.Column("rating", sa.Integer()),
        sa.Column("rating_probabilities", sa.JSON(none_as_null=True)),
        sa.Column("rating_confidence", sa.Double()),
        sa.Column("milliseconds", sa.Double(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("pooling IN ('cls', 'mean')", name="pooling"),
        sa.CheckConstraint(
            "(rating IS NULL) = (rating_probabilities IS NULL)"
            " AND (rating IS NULL) = (rating_confidence IS NULL)",
            name="whole_rating",
        ),
        sa.CheckConstraint("milliseconds >= 0", name="milliseconds"),
        *(between(f"probability_{name}", 0, 1) for name in ("bad", "good", "neutral")),
        between("rating", 0, 10),
        between("rating_confidence", 0, 1),
        between("sentiment", 0, 2),
        sa.UniqueConstraint("review_id", "pooling", "model_version"),
        sa.Index(None, "created_at", "pooling", "sentiment", "milliseconds"),
    )

    op.create_table(
        "feedback_history",
        sa.Column("id", sa.Integer(), primary_key=True),
        owner("feedback_id", "feedback.id"),
        sa.Column("rating", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        between("rating", 0, 10),
    )


def downgrade() -> None:
    children = ("feedback_history", "predictions", "feedback", "reviews", "admin_actions")
    for table in (*children, "users", "updates", "training_runs"):
        op.drop_table(table)


def owner(name: str, key: str, ondelete: str = "CASCADE", *, index: bool = True) -> sa.Column[int]:
    """The column of the row that this one belongs to, which has the type of that row's `key`."""
    kind = sa.BigInteger() if key == "users.id" else sa.Integer()
    refers = sa.ForeignKey(key, ondelete=ondelete)
    return sa.Column(name, kind, refers, index=index, nullable=ondelete == "SET NULL")


def between(column: str, least: int, most: int) -> sa.CheckConstraint:
    return sa.CheckConstraint(f"{column} BETWEEN {least} AND {most}", name=column)


def partial_index(name: str, column: str, where: str, *, unique: bool = False) -> sa.Index:
    condition = sa.text(where)
    return sa.Index(name, column, unique=unique, sqlite_where=condition, postgresql_where=condition)
