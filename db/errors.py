"""The one error about the database that the operator can correct."""


class DatabaseError(Exception):
    """One sentence for the operator: a wrong URL, a database that can't be copied or migrated.

    What the database itself refuses (a broken constraint, a lost connection) stays SQLAlchemy's.
    """
