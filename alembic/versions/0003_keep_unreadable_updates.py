"""Mark updates that no handler can use: they are kept and not tried again."""

import sqlalchemy as sa

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column(
        "updates", sa.Column("unreadable", sa.Boolean(), server_default=sa.false(), nullable=False)
    )


def downgrade() -> None:
    with op.batch_alter_table("updates") as batch:
        batch.drop_column("unreadable")
