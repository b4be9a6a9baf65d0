"""What processes tell each other: that a retraining is to end, and which version answers."""

import sqlalchemy as sa

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column(
        "training_runs",
        sa.Column("cancel_requested", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column("installation", sa.Column("champion", sa.String(64), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("installation") as batch:
        batch.drop_column("champion")
    with op.batch_alter_table("training_runs") as batch:
        batch.drop_column("cancel_requested")
