"""A throw-away PostgreSQL server; without one the tests that need it are skipped."""

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from benchmarks import postgres
from benchmarks.postgres import PostgresServer
from classifier.errors import ClassifierError

__all__ = ["PostgresServer", "postgres_server"]


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A server of its own, started and stopped."""
    pytest.importorskip("asyncpg")
    with contextlib.ExitStack() as stack:
        try:
            server = stack.enter_context(postgres.postgres_server())
        except ClassifierError as error:
            pytest.skip(str(error))
        yield server
