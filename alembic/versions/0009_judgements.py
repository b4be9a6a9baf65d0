"""Keep the admins' words on ratings apart from the ratings."""

import sqlalchemy as sa

from alembic import op

revision = "0009"
down_revision = "0008"

STANDS = sa.text("stands")


def upgrade() -> None:
    op.create_table(
        "judgements",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("feedback_id", sa.Integer(), nullable=False),
        sa.Column("action_id", sa.Integer(), nullable=False),
        sa.Column("rating", sa.Integer(), nullable=True),
        sa.Column("given", sa.Integer(), nullable=False),
        sa.Column("previous_id", sa.Integer(), nullable=True),
        sa.Column("stands", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("rating BETWEEN 0 AND 10", name=op.f("ck_judgements_rating")),
        sa.CheckConstraint("given BETWEEN 0 AND 10", name=op.f("ck_judgements_given")),
        sa.ForeignKeyConstraint(
            ["feedback_id"],
            ["feedback.id"],
            name=op.f("fk_judgements_feedback_id_feedback"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["action_id"],
            ["admin_actions.id"],
            name=op.f("fk_judgements_action_id_admin_actions"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["previous_id"],
            ["judgements.id"],
            name=op.f("fk_judgements_previous_id_judgements"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_judgements")),
    )
    for column in ("feedback_id", "action_id", "previous_id"):
        op.create_index(op.f(f"ix_judgements_{column}"), "judgements", [column])
    op.create_index(
        "uq_judgements_standing",
        "judgements",
        ["feedback_id"],
        unique=True,
        sqlite_where=STANDS,
        postgresql_where=STANDS,
    )


def downgrade() -> None:
    op.drop_table("judgements")
