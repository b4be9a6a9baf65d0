"""What holds of the tables as they are declared."""

from collections.abc import Callable

from db.models import Base, Review


def test_every_table_with_a_users_id_is_known_here() -> None:
    """A new table of personal data must be added to db/privacy.py, its tests, and here."""
    personal = {
        table.name
        for table in Base.metadata.tables.values()
        if any(column.name.endswith(("user_id", "admin_id")) for column in table.columns)
    }
    assert personal == {"reviews", "feedback", "updates", "admin_actions"}


def test_the_repr_of_a_row_has_nothing_that_was_written(new_review: Callable[..., Review]) -> None:
    assert "хороший" not in repr(new_review(1))
