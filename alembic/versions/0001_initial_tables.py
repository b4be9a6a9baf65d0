"""Initial tables."""

import sqlalchemy as sa

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "training_runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("trigger", sa.String(length=8), nullable=False),
        sa.Column("status", sa.String(length=11), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.String(length=64), nullable=True),
        sa.Column("figures", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(status = 'running') = (finished_at IS NULL)", name=op.f("ck_training_runs_finished")
        ),
        sa.CheckConstraint(
            "status IN ('running', 'promoted', 'refused', 'failed', 'cancelled', 'interrupted',"
            " 'skipped')",
            name=op.f("ck_training_runs_status"),
        ),
        sa.CheckConstraint(
            "trigger IN ('schedule', 'admin')", name=op.f("ck_training_runs_trigger")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_training_runs")),
    )
    op.create_index(
        "uq_training_runs_running",
        "training_runs",
        ["status"],
        unique=True,
        sqlite_where=sa.text("status = 'running'"),
        postgresql_where=sa.text("status = 'running'"),
    )

    op.create_table(
        "updates",
        sa.Column("update_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("payload", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(done_at IS NULL) = (payload IS NOT NULL)", name=op.f("ck_updates_payload_until_done")
        ),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_updates_attempts")),
        sa.PrimaryKeyConstraint("update_id", name=op.f("pk_updates")),
    )
    op.create_index(
        "ix_updates_pending",
        "updates",
        ["received_at"],
        sqlite_where=sa.text("done_at IS NULL"),
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.create_index(op.f("ix_updates_user_id"), "updates", ["user_id"])

    op.create_table(
        "users",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("language", sa.String(length=35), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
    )
    op.create_table(
        "admin_actions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("admin_id", sa.BigInteger(), nullable=True),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("details", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["admin_id"],
            ["users.id"],
            name=op.f("fk_admin_actions_admin_id_users"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_admin_actions")),
    )
    op.create_index(op.f("ix_admin_actions_admin_id"), "admin_actions", ["admin_id"])

    op.create_table(
        "reviews",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("update_id", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("source", sa.String(length=8), nullable=False),
        sa.Column("reply_message_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("replaces_review_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "source IN ('private', 'group', 'document', 'edit')", name=op.f("ck_reviews_source")
        ),
        sa.CheckConstraint("text <> ''", name=op.f("ck_reviews_text")),
        sa.CheckConstraint("replaces_review_id <> id", name=op.f("ck_reviews_replaces_another")),
        sa.ForeignKeyConstraint(
            ["replaces_review_id"],
            ["reviews.id"],
            name=op.f("fk_reviews_replaces_review_id_reviews"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_reviews_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
        sa.UniqueConstraint("update_id", name=op.f("uq_reviews_update_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_reviews_chat_id_message_id"), "reviews", ["chat_id", "message_id"])
    op.create_index(op.f("ix_reviews_created_at_user_id"), "reviews", ["created_at", "user_id"])
    op.create_index(op.f("ix_reviews_replaces_review_id"), "reviews", ["replaces_review_id"])
    op.create_index(op.f("ix_reviews_user_id"), "reviews", ["user_id"])

    op.create_table(
        "feedback",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("review_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("rating", sa.Integer(), nullable=False),
        sa.Column("asked", sa.Boolean(), nullable=False),
        sa.Column("held_out", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("rating BETWEEN 0 AND 10", name=op.f("ck_feedback_rating")),
        sa.ForeignKeyConstraint(
            ["review_id"],
            ["reviews.id"],
            name=op.f("fk_feedback_review_id_reviews"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_feedback_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feedback")),
        sa.UniqueConstraint("review_id", "user_id", name=op.f("uq_feedback_review_id_user_id")),
    )
    op.create_index(op.f("ix_feedback_user_id"), "feedback", ["user_id"])

    op.create_table(
        "predictions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("review_id", sa.Integer(), nullable=False),
        sa.Column("pooling", sa.String(length=4), nullable=False),
        sa.Column("model_version", sa.String(length=64), nullable=False),
        sa.Column("sentiment", sa.Integer(), nullable=False),
        sa.Column("probability_bad", sa.Double(), nullable=False),
        sa.Column("probability_neutral", sa.Double(), nullable=False),
        sa.Column("probability_good", sa.Double(), nullable=False),
        sa.Column("rating", sa.Integer(), nullable=True),
        sa.Column("rating_probabilities", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("rating_confidence", sa.Double(), nullable=True),
        sa.Column("milliseconds", sa.Double(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("pooling IN ('cls', 'mean')", name=op.f("ck_predictions_pooling")),
        sa.CheckConstraint(
            "(rating IS NULL) = (rating_probabilities IS NULL)"
            " AND (rating IS NULL) = (rating_confidence IS NULL)",
            name=op.f("ck_predictions_whole_rating"),
        ),
        sa.CheckConstraint("milliseconds >= 0", name=op.f("ck_predictions_milliseconds")),
        sa.CheckConstraint(
            "probability_bad BETWEEN 0 AND 1", name=op.f("ck_predictions_probability_bad")
        ),
        sa.CheckConstraint(
            "probability_good BETWEEN 0 AND 1", name=op.f("ck_predictions_probability_good")
        ),
        sa.CheckConstraint(
            "probability_neutral BETWEEN 0 AND 1", name=op.f("ck_predictions_probability_neutral")
        ),
        sa.CheckConstraint("rating BETWEEN 0 AND 10", name=op.f("ck_predictions_rating")),
        sa.CheckConstraint(
            "rating_confidence BETWEEN 0 AND 1", name=op.f("ck_predictions_rating_confidence")
        ),
        sa.CheckConstraint("sentiment BETWEEN 0 AND 2", name=op.f("ck_predictions_sentiment")),
        sa.ForeignKeyConstraint(
            ["review_id"],
            ["reviews.id"],
            name=op.f("fk_predictions_review_id_reviews"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_predictions")),
        sa.UniqueConstraint(
            "review_id",
            "pooling",
            "model_version",
            name=op.f("uq_predictions_review_id_pooling_model_version"),
        ),
    )
    op.create_index(
        op.f("ix_predictions_created_at_pooling_sentiment_milliseconds"),
        "predictions",
        ["created_at", "pooling", "sentiment", "milliseconds"],
    )

    op.create_table(
        "feedback_history",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("feedback_id", sa.Integer(), nullable=False),
        sa.Column("rating", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("rating BETWEEN 0 AND 10", name=op.f("ck_feedback_history_rating")),
        sa.ForeignKeyConstraint(
            ["feedback_id"],
            ["feedback.id"],
            name=op.f("fk_feedback_history_feedback_id_feedback"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feedback_history")),
    )
    op.create_index(op.f("ix_feedback_history_feedback_id"), "feedback_history", ["feedback_id"])


def downgrade() -> None:
    op.drop_table("feedback_history")
    op.drop_table("predictions")
    op.drop_table("feedback")
    op.drop_table("reviews")
    op.drop_table("admin_actions")
    op.drop_table("users")
    op.drop_table("updates")
    op.drop_table("training_runs")
