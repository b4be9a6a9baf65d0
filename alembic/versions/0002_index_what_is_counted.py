"""Index every column that the counts over a period's predictions read."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

FORMER = "ix_predictions_created_at_pooling_sentiment_milliseconds"


def upgrade() -> None:
    op.drop_index(FORMER, "predictions")
    op.create_index(
        "ix_predictions_counted",
        "predictions",
        [
            "created_at",
            "review_id",
            "pooling",
            "model_version",
            "sentiment",
            "probability_bad",
            "probability_neutral",
            "probability_good",
            "rating",
            "milliseconds",
        ],
    )


def downgrade() -> None:
    op.drop_index("ix_predictions_counted", "predictions")
    op.create_index(FORMER, "predictions", ["created_at", "pooling", "sentiment", "milliseconds"])
