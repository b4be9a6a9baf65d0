"""Note which version each process answers with, and since when that is the champion."""

import sqlalchemy as sa

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("processes", sa.Column("model", sa.String(64), nullable=True))
    op.add_column("processes", sa.Column("promoted_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("processes") as batch:
        batch.drop_column("promoted_at")
        batch.drop_column("model")
