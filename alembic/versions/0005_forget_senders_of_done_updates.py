"""Forget who sent an update as soon as it is done."""

import sqlalchemy as sa

from alembic import op

revision = "0005"
down_revision = "0004"

RULE = "sender_until_done"


def upgrade() -> None:
    op.execute("UPDATE updates SET user_id = NULL WHERE done_at IS NOT NULL")
    with op.batch_alter_table("updates") as batch:
        batch.create_check_constraint(RULE, sa.text("done_at IS NULL OR user_id IS NULL"))


def downgrade() -> None:
    with op.batch_alter_table("updates") as batch:
        batch.drop_constraint(op.f(f"ck_updates_{RULE}"), type_="check")
