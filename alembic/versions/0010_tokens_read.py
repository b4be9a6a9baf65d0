"""Store how many tokens of a review were read, and whether that was fewer than usual."""

import sqlalchemy as sa

from alembic import op

revision = "0010"
down_revision = "0009"

COUNTED = [
    *("created_at", "review_id", "pooling", "model_version", "sentiment"),
    *("probability_bad", "probability_neutral", "probability_good", "rating", "milliseconds"),
]


def upgrade() -> None:
    op.add_column("predictions", sa.Column("tokens", sa.Integer(), nullable=True))
    op.add_column(
        "predictions",
        sa.Column("in_short", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.drop_index("ix_predictions_counted", "predictions")
    op.create_index("ix_predictions_counted", "predictions", [*COUNTED, "in_short"])


def downgrade() -> None:
    op.drop_index("ix_predictions_counted", "predictions")
    op.create_index("ix_predictions_counted", "predictions", COUNTED)
    with op.batch_alter_table("predictions") as batch:
        batch.drop_column("in_short")
        batch.drop_column("tokens")
