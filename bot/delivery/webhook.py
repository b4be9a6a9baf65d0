"""Updates that Telegram brings itself, to an address behind a proxy that does HTTPS."""

import asyncio
import logging
import time
from hmac import compare_digest
from typing import Any, NoReturn
from urllib.parse import unquote, urlsplit

from telegram import Bot
from telegram.error import TelegramError
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, HTTPError, RequestHandler, stream_request_body

from bot.delivery.inbox import Inbox
from bot.delivery.raw_updates import ALLOWED_UPDATES, parse_json
from bot.delivery.retries import Pulse, Retries
from bot.errors import BotError
from bot.settings import Settings

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"
LARGEST_BODY = 1024 * 1024  # bytes; Telegram's updates have some thousands
SECONDS_TO_RECEIVE = 10.0
SECONDS_BETWEEN_LINES = 60.0
"""The same complaint is logged once in this time: anybody may send requests."""

LONGEST_PATH = 200  # characters of a foreign path that a line shows

logger = logging.getLogger(__name__)


class Webhook:
    """Listens for updates, and tells Telegram where."""

    def __init__(self, settings: Settings, bot: Bot, inbox: Inbox, pulse: Pulse) -> None:
        assert settings.webhook_url is not None
        assert settings.webhook_secret is not None  # Settings has checked it
        self.url, self.secret = settings.webhook_url, settings.webhook_secret.get_secret_value()
        self.path = unquote(urlsplit(self.url).path) or "/"
        self._host, self._port = settings.webhook_host, settings.webhook_port
        self._bot, self._inbox, self._pulse = bot, inbox, pulse
        self._complained: dict[str, float] = {}

    async def run(self) -> NoReturn:
        """Listen for ever; raises BotError where the port can't be listened on."""
        try:
            sockets = bind_sockets(self._port, self._host)
        except OSError as error:
            raise BotError(
                f"WEBHOOK_HOST {self._host} and WEBHOOK_PORT {self._port}"
                f" can't be listened on: {error.strerror}."
            ) from error
        server = HTTPServer(
            Application(
                [(".*", _Intake, {"webhook": self})],
                log_function=lambda _handler: None,
            ),
            max_body_size=LARGEST_BODY,
            max_buffer_size=2 * LARGEST_BODY,
            idle_connection_timeout=SECONDS_TO_RECEIVE,  # of a request's headers too
            body_timeout=SECONDS_TO_RECEIVE,
        )
        server.add_sockets(sockets)
        try:
            with self._pulse.beating():
                await self._tell_telegram()
                await asyncio.Event().wait()
                raise AssertionError("nobody sets that event")
        finally:
            server.stop()
            await server.close_all_connections()

    async def receive(self, body: bytes) -> int:
        """Store what a request brought; the status to answer with."""
        try:
            update = parse_json(body)
        except ValueError:
            return 400
        try:
            async with asyncio.timeout(SECONDS_TO_RECEIVE):
                await self._inbox.receive([update])
        except TimeoutError:  # the database is away, and Telegram will bring the update again
            return 503
        return 200

    def complain(self, event: str, **facts: str) -> None:
        """Log what is wrong with requests, not with each of them."""
        now = time.monotonic()
        if now - self._complained.get(event, -SECONDS_BETWEEN_LINES) >= SECONDS_BETWEEN_LINES:
            self._complained[event] = now
            logger.warning(event, extra=facts)

    async def _tell_telegram(self) -> None:
        retries = Retries(self._bot, self._pulse, "the webhook can't be set")
        while True:
            try:
                await self._bot.set_webhook(
                    self.url,
                    allowed_updates=ALLOWED_UPDATES,
                    drop_pending_updates=False,
                    secret_token=self.secret,
                )
            except TelegramError as error:
                await retries.failed(error)
            else:
                retries.succeeded()
                return


@stream_request_body
class _Intake(RequestHandler):
    """One update. Its path and secret are looked at before its body is read."""

    def initialize(self, webhook: Webhook) -> None:
        self._webhook = webhook
        self._body = bytearray()

    def prepare(self) -> None:
        came = unquote(self.request.path)
        if came.rstrip("/") != self._webhook.path.rstrip("/"):
            self._webhook.complain(
                "a request to another path than WEBHOOK_URL's: does the proxy change the path?",
                came=came[:LONGEST_PATH],
                expected=self._webhook.path,
            )
            raise HTTPError(404)
        if self.request.method != "POST":
            raise HTTPError(405)
        secret = self.request.headers.get(SECRET_HEADER, "")
        if not compare_digest(secret.encode(), self._webhook.secret.encode()):
            self._webhook.complain(
                "a request without WEBHOOK_SECRET: does the proxy drop the header?",
                header=SECRET_HEADER,
            )
            raise HTTPError(403)

    def data_received(self, chunk: bytes) -> None:
        self._body += chunk

    async def post(self) -> None:
        self.set_status(await self._webhook.receive(bytes(self._body)))

    def log_exception(self, *error: Any) -> None:
        if not isinstance(error[1], HTTPError):  # tornado would log each refused request too
            logger.error("a webhook request failed", exc_info=error[1])
