"""/healthz and /metrics on loopback, for programs that watch the bot."""

from dataclasses import asdict

from prometheus_client.exposition import choose_encoder
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, HTTPError, RequestHandler

from bot.errors import BotError
from bot.loopback import harden, why_foreign
from bot.monitoring.health import Checkup
from bot.monitoring.metrics import Metrics

HOST = "127.0.0.1"


class Monitoring:
    """Listens from `start` to `stop`."""

    def __init__(self, port: int, checkup: Checkup, metrics: Metrics) -> None:
        self._port = port
        parts = {"checkup": checkup, "metrics": metrics}
        self._application = Application(
            [("/healthz", _Health, parts), ("/metrics", _Metrics, parts)],
            log_function=lambda _handler: None,
        )
        self._http: HTTPServer | None = None

    async def start(self) -> None:
        """Raises BotError where the port is taken."""
        try:
            sockets = bind_sockets(self._port, HOST)
        except OSError as error:
            raise BotError(
                f"MONITORING_PORT {self._port} can't be listened on: {error.strerror}."
            ) from error
        self._http = HTTPServer(self._application)
        self._http.add_sockets(sockets)

    async def stop(self) -> None:
        if self._http is not None:
            http, self._http = self._http, None
            http.stop()
            await http.close_all_connections()


class _Handler(RequestHandler):
    def initialize(self, checkup: Checkup, metrics: Metrics) -> None:
        self._checkup, self._metrics = checkup, metrics

    def prepare(self) -> None:
        if why_foreign(self.request):
            raise HTTPError(403)

    def set_default_headers(self) -> None:
        harden(self)


class _Health(_Handler):
    async def get(self) -> None:
        """200 and "ok", or 503 and what is wrong."""
        health = await self._checkup.examine()
        self.set_status(200 if health.is_well else 503)
        self.finish({"status": "ok" if health.is_well else "failing", **asdict(health)})


class _Metrics(_Handler):
    async def get(self) -> None:
        """In the format that the scraper asks for."""
        self._metrics.show(await self._checkup.examine())
        encode, content_type = choose_encoder(self.request.headers.get("Accept", ""))
        self.set_header("Content-Type", content_type)
        self.finish(encode(self._metrics.registry))
