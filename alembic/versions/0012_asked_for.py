"""Note with a review for what share its rating was asked.

Until now it followed from the update and the installation's secret, and so it is worked out here.
"""

import hmac

import sqlalchemy as sa

from alembic import op

revision = "0012"
down_revision = "0011"

_AT_ONCE = 1000
_REVIEWS = sa.table(
    "reviews",
    sa.column("id", sa.Integer),
    sa.column("update_id", sa.BigInteger),
    sa.column("asked_for", sa.String),
)


def upgrade() -> None:
    op.add_column("reviews", sa.Column("asked_for", sa.String(9), nullable=True))
    connection = op.get_bind()
    secret = connection.scalar(sa.text("SELECT secret FROM installation"))
    last = 0
    while secret is not None:
        page = sa.select(_REVIEWS.c.id, _REVIEWS.c.update_id).where(_REVIEWS.c.id > last)
        found = connection.execute(page.order_by(_REVIEWS.c.id).limit(_AT_ONCE)).all()
        if not found:
            break
        asked = [review for review, update in found if _was_asked(bytes(secret), update)]
        noted = sa.update(_REVIEWS).where(_REVIEWS.c.id.in_(asked)).values(asked_for="random")
        connection.execute(noted)
        last = found[-1].id


def _was_asked(secret: bytes, update_id: int) -> bool:
    digest = hmac.digest(secret, f"asked:{update_id}".encode(), "sha256")
    return int.from_bytes(digest) % 10 == 0


def downgrade() -> None:
    with op.batch_alter_table("reviews") as batch:
        batch.drop_column("asked_for")
