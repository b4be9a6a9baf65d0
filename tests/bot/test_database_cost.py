"""What the database costs a review: so many statements, whichever database it is."""

import time
from collections import defaultdict
from statistics import median
from typing import Any

import pytest
from sqlalchemy import Engine, event

from bot.local.server import LocalServer
from db.engine import Sessions
from tests.bot.conftest import RunningBot
from tests.bot.local_client import Person, chat_client
from tests.bot.talking import ANYA, BORIS, REVIEW, all_done

pytestmark = pytest.mark.anyio

ALONE, AMONG_MANY = 13, 15
"""The most statements of a review, with those that store its update and claim it; transactions
begin and end besides. Who has several in hand has them looked into, for parts of one text."""

TRANSACTIONS = 8  # and sometimes a beat of the process

OF_UPDATES = ("updates", "reviews", "predictions", "users", "admissions", "pg_")
"""In statements about them; others are the beats of a process, of which a slow one has more."""


@pytest.fixture
def url(migrated_url: str) -> str:
    return migrated_url


class Cost:
    def __init__(self) -> None:
        self.statements: defaultdict[str, list[float]] = defaultdict(list)  # their milliseconds
        self.transactions = 0

    def told(self, name: str, updates: int) -> str:
        """For people; by the medians, since a busy machine makes any statement slow."""
        usual = {sql: median(times) * len(times) for sql, times in self.statements.items()}
        lines = [
            f"{name}: {self.total() / updates:.1f} statements and"
            f" {self.transactions / updates:.1f} transactions an update,"
            f" {sum(usual.values()) / updates:.1f} ms"
        ]
        for sql, times in self.statements.items():
            lines.append(f"{len(times) / updates:6.1f} {median(times):6.2f} ms {sql[:80]}")
        return "\n".join(lines)

    def total(self) -> int:
        return sum(map(len, self.statements.values()))


def count(engine: Engine, costs: list[Cost]) -> None:
    """Add what is executed to the last of the costs."""

    def before(connection: Any, _: Any, statement: str, *rest: Any) -> None:
        connection.info["began"] = time.perf_counter()

    def after(connection: Any, _: Any, statement: str, *rest: Any) -> None:
        is_beat = "processes" in statement or "clock_timestamp" in statement
        if not is_beat and any(name in statement for name in OF_UPDATES):
            took = 1000 * (time.perf_counter() - connection.info["began"])
            costs[-1].statements[" ".join(statement.split())].append(took)

    def began(_: Any) -> None:
        costs[-1].transactions += 1

    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)
    event.listen(engine, "begin", began)


async def test_a_review_costs_few_statements(
    running_bot: RunningBot, telegram: LocalServer, read: Sessions
) -> None:
    async with running_bot() as bot:
        costs = [Cost()]
        count(bot.parts.database.engine.sync_engine, costs)
        async with chat_client(telegram.url) as http:
            people = [Person(http, ANYA), Person(http, BORIS)]
            await people[0].ask(REVIEW)
            costs.append(Cost())
            for number in range(10):
                await people[0].ask(f"{REVIEW} Раз {number}.")
            costs.append(Cost())
            for number in range(40):
                await people[number % 2].send(f"{REVIEW} Подряд {number}.")
            await people[0].wait_until(lambda messages: len(messages) == 22 + 40)
            await people[1].wait_until(lambda messages: len(messages) == 40)
            await all_done(read)
    _, alone, among_many = costs
    print(alone.told("one at a time", 10), among_many.told("many at once", 40), sep="\n")
    assert alone.total() / 10 <= ALONE
    assert among_many.total() / 40 <= AMONG_MANY
    assert alone.transactions / 10 <= TRANSACTIONS
