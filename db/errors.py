"""The one error that this package raises for what the operator can mend."""


class DatabaseError(Exception):
    """One sentence for the operator: a wrong URL, a database that can't be copied or migrated.

    What the database itself refuses (a broken constraint, a lost connection) stays SQLAlchemy's.
    """
