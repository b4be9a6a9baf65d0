"""Index every column that the counts over a period's predictions read."""

from alembic import op

revision = "0002"
down_revision = "0001"

FORMER = "ix_predictions_created_at_pooling_sentiment_milliseconds"
COUNTED = [
    *("created_at", "review_id", "pooling", "model_version", "sentiment"),
    *("probability_bad", "probability_neutral", "probability_good", "rating", "milliseconds"),
]


def upgrade() -> None:
    op.drop_index(FORMER, "predictions")
    op.create_index("ix_predictions_counted", "predictions", COUNTED)


def downgrade() -> None:
    op.drop_index("ix_predictions_counted", "predictions")
    op.create_index(FORMER, "predictions", ["created_at", "pooling", "sentiment", "milliseconds"])
