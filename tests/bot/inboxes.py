"""An inbox of a process that has joined the others on its database."""

from collections.abc import Callable

from bot.clock import utc_now
from bot.delivery.inbox import Inbox
from bot.delivery.lease import Lease
from bot.delivery.transactions import Transactions
from db.engine import Sessions


async def inbox_on(
    write: Sessions, on_unreadable: Callable[[str], None] = lambda _: None, *, shared: bool = False
) -> Inbox:
    transactions = Transactions(write)
    lease = Lease(transactions, utc_now, is_shared=shared)
    await lease.begin()
    return Inbox(transactions, lease, utc_now, on_unreadable)
