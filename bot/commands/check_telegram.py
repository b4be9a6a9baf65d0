"""What Telegram says of the token, the clock, the webhook, and of other programs that fetch."""

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from bot.clock import utc_now
from bot.commands.finding import Finding
from bot.delivery.retries import ANOTHER_POLLER, REFUSED_TOKEN
from bot.delivery.route import route_to
from bot.settings import Settings

SECONDS = 5.0
"""For Telegram to answer; a machine without network is known within twice that."""

SECONDS_OF_POLL = 4
"""Another poller asks again within that time, and Telegram then refuses us."""

LARGEST_DIFFERENCE = timedelta(seconds=30)
"""Between the clocks, of which some seconds may be the network's."""

WRONG_DIFFERENCE = timedelta(hours=1)
"""Certificates may seem to be no longer, or not yet, valid."""

RECENT = timedelta(hours=1)

Json = dict[str, Any]


class _RefusalError(Exception):
    """What the server answered instead of a result."""

    def __init__(self, code: int, says: str) -> None:
        super().__init__(f"{code}: {says}")
        self.code = code


async def check_telegram(settings: Settings, runs: bool) -> list[Finding]:
    """One finding each. Takes no update away: none is confirmed. Raises BotError of the route."""
    if settings.telegram_token is None:
        return [Finding("ok", "TELEGRAM_TOKEN", "not set: the bot talks in a chat page")]
    server = settings.bot_api_url
    base = f"{server}/bot{settings.telegram_token.get_secret_value()}"  # never shown
    async with httpx.AsyncClient(**route_to(server), timeout=SECONDS) as http:
        asking = _Asking(http, base)
        try:
            me = await asking.result("getMe")
        except _RefusalError as refusal:
            if refusal.code in (401, 404):
                return [Finding("wrong", "TELEGRAM_TOKEN", REFUSED_TOKEN)]
            return [Finding("wrong", "Telegram", f"{server} refuses getMe ({refusal})")]
        except (httpx.HTTPError, TimeoutError, ValueError) as error:
            reason = str(error) or type(error).__name__
            return [Finding("wrong", "Telegram", f"{server} can't be reached: {reason}")]
        findings = [Finding("ok", "TELEGRAM_TOKEN", f"it is @{me.get('username')}'s")]
        findings += _clock(asking.date)
        try:
            findings += await _delivery(settings, asking, runs)
        except (_RefusalError, httpx.HTTPError, TimeoutError, ValueError) as error:
            reason = str(error) or type(error).__name__
            findings.append(Finding("wrong", "updates", f"Telegram can't be asked: {reason}"))
    return findings


class _Asking:
    def __init__(self, http: httpx.AsyncClient, base: str) -> None:
        self._http, self._base = http, base
        self.date: datetime | None = None  # the server's, in its last answer

    async def result(self, method: str, **parameters: int) -> Any:
        """Raises _RefusalError, or as httpx does; ValueError where it is not a Bot API's answer."""
        async with asyncio.timeout(SECONDS + parameters.get("timeout", 0)):
            response = await self._http.post(
                f"{self._base}/{method}",
                data=parameters,
                timeout=SECONDS + parameters.get("timeout", 0),
            )
        if date := response.headers.get("Date"):
            self.date = parsedate_to_datetime(date)
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if not isinstance(answer, dict) or "ok" not in answer:
            raise ValueError("the answer is none of a Bot API server; is a proxy in between?")
        if not answer["ok"]:
            raise _RefusalError(response.status_code, str(answer.get("description", "")))
        return answer.get("result")


def _clock(date: datetime | None) -> list[Finding]:
    if date is None:
        return []
    difference = utc_now() - date
    if abs(difference) < LARGEST_DIFFERENCE:
        return [Finding("ok", "clock", "as Telegram's")]
    way = "ahead of" if difference > timedelta() else "behind"
    says = f"{abs(difference).total_seconds():,.0f} seconds {way} Telegram's: set it (NTP)"
    return [Finding("wrong" if abs(difference) > WRONG_DIFFERENCE else "warning", "clock", says)]


async def _delivery(settings: Settings, asking: _Asking, runs: bool) -> list[Finding]:
    info = await asking.result("getWebhookInfo")
    place = urlsplit(info.get("url") or "").hostname
    if settings.webhook_url:
        return [_webhook(settings.webhook_url, info, place)]
    if place:
        says = f"Telegram brings the updates to {place}; this bot removes that webhook and fetches"
        return [Finding("warning", "updates", says)]
    if runs:
        return [Finding("ok", "updates", "not asked for: a bot that runs already fetches them")]
    try:
        for _ in range(2):
            if await asking.result("getUpdates", timeout=SECONDS_OF_POLL, limit=1):
                break  # they wait: nobody fetches them
    except _RefusalError as refusal:
        if refusal.code != 409:
            raise
        return [Finding("wrong", "updates", ANOTHER_POLLER)]
    waiting = info.get("pending_update_count", 0)
    return [Finding("ok", "updates", f"nobody else fetches them; {waiting} wait")]


def _webhook(url: str, info: Json, place: str | None) -> Finding:
    if info.get("url") != url:
        says = f"now at {place}" if place else "not set yet"
        return Finding("ok", "webhook", f"{says}; the bot sets it to WEBHOOK_URL when it starts")
    waiting = f"{info.get('pending_update_count', 0)} updates wait"
    failed = info.get("last_error_date")
    if failed and utc_now() - datetime.fromtimestamp(failed, UTC) < RECENT:
        says = f"Telegram could not deliver ({info.get('last_error_message')}); {waiting}"
        return Finding("warning", "webhook", says)
    return Finding("ok", "webhook", f"set as WEBHOOK_URL says; {waiting}")
