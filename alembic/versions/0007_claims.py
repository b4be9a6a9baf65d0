"""Share the inbox: processes claim updates, and limits are counted for all of them together."""

import sqlalchemy as sa

from alembic import op

revision = "0007"
down_revision = "0006"

CLAIMED = sa.text("claimed_by IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "processes",
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("alive_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_processes")),
    )
    op.create_table(
        "admissions",
        sa.Column("limited", sa.String(80), nullable=False),
        sa.Column("state", sa.JSON(), nullable=False),
        sa.Column("needed_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("limited", name=op.f("pk_admissions")),
    )
    op.create_index(op.f("ix_admissions_needed_until"), "admissions", ["needed_until"])
    with op.batch_alter_table("updates") as batch:
        batch.add_column(sa.Column("claimed_by", sa.String(80), nullable=True))
        batch.add_column(sa.Column("claimed_since", sa.DateTime(timezone=True), nullable=True))
        batch.create_foreign_key(
            op.f("fk_updates_claimed_by_processes"),
            "processes",
            ["claimed_by"],
            ["name"],
            ondelete="SET NULL",
        )
    op.create_index(
        "ix_updates_claimed_by",
        "updates",
        ["claimed_by"],
        sqlite_where=CLAIMED,
        postgresql_where=CLAIMED,
    )


def downgrade() -> None:
    op.drop_index("ix_updates_claimed_by", "updates")
    with op.batch_alter_table("updates") as batch:
        batch.drop_constraint(op.f("fk_updates_claimed_by_processes"), type_="foreignkey")
        batch.drop_column("claimed_since")
        batch.drop_column("claimed_by")
    op.drop_table("admissions")
    op.drop_table("processes")
