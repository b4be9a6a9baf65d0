"""Delivers updates to the bot's webhook."""

import asyncio
import json
import re

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest

from bot.clock import Clock
from bot.local.feeds import UpdateQueue
from bot.local.params import ApiError, Params
from bot.local.people import Json

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 30.0  # seconds before an update is posted again


class Webhook:
    """Posts one update after the other, each until the bot accepts it."""

    def __init__(self, updates: UpdateQueue, clock: Clock) -> None:
        self.url = ""
        self._updates, self._clock = updates, clock
        self._secret = ""
        self._last_error: Json = {}
        self._task: asyncio.Task[None] | None = None

    def set(self, params: Params) -> bool:
        """Handle setWebhook."""
        url, secret = params.text("url"), params.text("secret_token")
        if not url:
            return self.remove(params)
        # Plain HTTP is fine for Telegram's own server too when it is run locally.
        if not re.match(r"https?://[^/\s]+", url):
            raise ApiError.bad_request("bad webhook: An HTTPS URL must be provided for webhook")
        if len(secret) > 256:
            raise ApiError.bad_request("secret token is too long")
        if not re.fullmatch("[A-Za-z0-9_-]*", secret):
            raise ApiError.bad_request("secret token contains unallowed characters")
        self._apply_to_updates(params)
        self.url, self._secret = url, secret
        self._last_error = {}
        self._updates.end_poll("terminated by setWebhook request")
        self._cancel()
        self._task = asyncio.create_task(self._deliver())
        return True

    def remove(self, params: Params) -> bool:
        """Handle deleteWebhook."""
        self._apply_to_updates(params)
        self.url, self._secret = "", ""
        self._cancel()
        return True

    def info(self) -> Json:
        about: Json = {"url": self.url, "has_custom_certificate": False}
        about["pending_update_count"] = len(self._updates.waiting)
        if self._updates.allowed:
            about["allowed_updates"] = list(self._updates.allowed)
        return about | self._last_error

    async def stop(self) -> None:
        if task := self._cancel():
            await asyncio.wait([task])

    def _apply_to_updates(self, params: Params) -> None:
        self._updates.allow(params)
        if params.boolean("drop_pending_updates"):
            self._updates.waiting = []

    def _cancel(self) -> asyncio.Task[None] | None:
        task, self._task = self._task, None
        if task:
            task.cancel()
        return task

    async def _deliver(self) -> None:
        client = AsyncHTTPClient(force_instance=True)
        woken = asyncio.Event()
        pause = _FIRST_PAUSE
        try:
            with self._updates.listeners.with_listener(woken):
                while True:
                    woken.clear()
                    if not self._updates.waiting:
                        await woken.wait()
                        continue
                    update = self._updates.waiting[0]
                    if await self._post(client, update):
                        self._updates.confirm(update["update_id"] + 1)
                        pause = _FIRST_PAUSE
                    else:
                        await asyncio.sleep(pause)
                        pause = min(pause * 2, _LONGEST_PAUSE)
        finally:
            client.close()

    async def _post(self, client: AsyncHTTPClient, update: Json) -> bool:
        """Whether the webhook accepted the update."""
        headers = {"Content-Type": "application/json"}
        if self._secret:
            headers[SECRET_HEADER] = self._secret
        options: Json = {"follow_redirects": False, "request_timeout": 60}
        request = HTTPRequest(self.url, "POST", headers, json.dumps(update), **options)
        try:
            await client.fetch(request)
        except HTTPClientError as error:
            reason = f"Wrong response from the webhook: {error.code} {error.message}"
        except (OSError, ValueError) as error:
            reason = str(error)
        else:
            return True
        when = int(self._clock().timestamp())
        self._last_error = {"last_error_date": when, "last_error_message": reason}
        return False
