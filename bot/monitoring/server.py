"""/healthz and /metrics on loopback, for programs that watch the bot."""

import logging
from dataclasses import asdict
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from tornado.httpserver import HTTPServer
from tornado.web import Application, HTTPError, RequestHandler

from bot.errors import BotError
from bot.loopback import LOOPBACK, harden, is_open, listen, why_foreign
from bot.monitoring.health import Checkup
from bot.monitoring.metrics import Metrics
from bot.monitoring.startup import Startup
from bot.settings import Settings

_LARGEST_REQUEST = 64 * 1024  # bytes; other machines may be let in, and tornado would take 100 MB
_SECONDS_TO_SEND = 60.0  # headers or body; a scraper that keeps its connection asks more often

logger = logging.getLogger(__name__)


class Monitoring:
    """Listens from `start` to `stop`; until it is given a bot to watch, it tells of the start."""

    def __init__(self, port: int, host: str = LOOPBACK) -> None:
        self.startup = Startup()
        self._port, self._host = port, host
        self._watched: tuple[Checkup, Metrics] | None = None
        self._was_well = False
        self._application = Application(
            [
                ("/healthz", _Health, {"monitoring": self}),
                ("/metrics", _Metrics, {"monitoring": self}),
            ],
            is_open=is_open(host),
            log_function=lambda _handler: None,
        )
        self._http: HTTPServer | None = None

    @classmethod
    def of(cls, settings: Settings) -> "Monitoring | None":
        """None without MONITORING_PORT."""
        port = settings.monitoring_port
        return None if port is None else cls(port, settings.monitoring_host)

    def watch(self, checkup: Checkup, metrics: Metrics) -> None:
        """Tell of this bot from now on."""
        self._watched = checkup, metrics

    async def start(self) -> None:
        """Unless it listens already. Raises BotError where the port is taken."""
        if self._http is not None:
            return
        try:
            sockets = listen(self._port, self._host)
        except OSError as error:
            raise BotError(
                f"MONITORING_PORT {self._port} can't be listened on"
                f" at MONITORING_HOST {self._host}: {error.strerror}."
            ) from error
        if is_open(self._host):
            logger.warning(
                "MONITORING_HOST lets other machines read the health and the metrics",
                extra={"host": self._host},
            )
        self._http = HTTPServer(
            self._application,
            max_buffer_size=_LARGEST_REQUEST,
            idle_connection_timeout=_SECONDS_TO_SEND,
            body_timeout=_SECONDS_TO_SEND,
        )
        self._http.add_sockets(sockets)

    async def health(self) -> dict[str, Any]:
        """What /healthz tells; `status` is ok, failing, or the phase of the start."""
        told = asdict(await self._watched[0].examine()) if self._watched else {"problems": ()}
        if self._watched and not told["problems"] and self.startup.phase != "training":
            self._was_well = True
            return {"status": "ok", **told}
        stuck = None if self._was_well else self.startup.problem
        if self._was_well or stuck:
            problems = (*([stuck] if stuck else []), *told.pop("problems"))
            return {"status": "failing", "problems": problems, **told}
        return {"status": self.startup.phase, "seconds": round(self.startup.seconds), **told}

    async def metrics(self, accepted: str) -> tuple[str, bytes]:
        """Their content type and text: none while there is no bot yet."""
        encode, content_type = choose_encoder(accepted)
        if self._watched is None:
            return content_type, encode(CollectorRegistry())
        checkup, metrics = self._watched
        metrics.show(await checkup.examine())
        return content_type, encode(metrics.registry)

    async def stop(self) -> None:
        if self._http is not None:
            http, self._http = self._http, None
            http.stop()
            await http.close_all_connections()


class _Handler(RequestHandler):
    def initialize(self, monitoring: Monitoring) -> None:
        self._monitoring = monitoring

    def prepare(self) -> None:
        if why_foreign(self.request, is_open=self.settings["is_open"]):
            raise HTTPError(403)

    def set_default_headers(self) -> None:
        harden(self)


class _Health(_Handler):
    async def get(self) -> None:
        """200 and "ok", or 503 and what is so instead."""
        health = await self._monitoring.health()
        self.set_status(200 if health["status"] == "ok" else 503)
        self.finish(health)


class _Metrics(_Handler):
    async def get(self) -> None:
        """In the format that the scraper asks for."""
        content_type, text = await self._monitoring.metrics(self.request.headers.get("Accept", ""))
        self.set_header("Content-Type", content_type)
        self.finish(text)
