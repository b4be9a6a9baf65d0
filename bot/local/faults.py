"""The trouble that a test orders: flood limits, failing methods, stale queries."""

from http import HTTPStatus
from typing import Any

from bot.local.errors import ApiError


class Faults:
    def __init__(self) -> None:
        self.stale_queries = False
        self._limited, self._retry_after = 0, 1
        self._failing: dict[str, tuple[int, int]] = {}

    def order(self, wish: dict[str, Any]) -> None:
        if "rate_limit" in wish:
            limit = wish["rate_limit"]
            self._limited, self._retry_after = int(limit["next"]), int(limit["retry_after"])
        if "fail" in wish:
            failure = wish["fail"]
            method = str(failure["method"]).lower()
            self._failing[method] = int(failure["next"]), int(failure["status"])
        if "stale_queries" in wish:
            self.stale_queries = bool(wish["stale_queries"])

    def strike(self, method: str) -> None:
        """Refuse a request if it was ordered so. `method` is in lower case."""
        left, status = self._failing.get(method, (0, 0))
        if left:
            self._failing[method] = left - 1, status
            raise ApiError(status, HTTPStatus(status).phrase)
        # Only what shows a message counts towards the limit: a test orders "the next 3 answers".
        if self._limited and method.startswith(("send", "edit")) and method != "sendchataction":
            self._limited -= 1
            seconds = self._retry_after
            reason = f"Too Many Requests: retry after {seconds}"
            raise ApiError(429, reason, retry_after=seconds)
