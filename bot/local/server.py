"""The local Bot API server: its addresses, start and stop."""

from pathlib import Path

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, StaticFileHandler

from bot.clock import Clock, utc_now
from bot.local.bot_api import DownloadHandler, MethodHandler
from bot.local.chat_api import ChatHandler, EventsHandler, FileHandler
from bot.local.loopback import LoopbackHandler
from bot.local.people import LOCAL_TOKEN
from bot.local.state import State

__all__ = ["LOCAL_TOKEN", "LocalServer"]

HOST = "127.0.0.1"
MAX_REQUEST = 50 * 1024 * 1024  # bytes that a bot may upload
PAGE = Path(__file__).with_name("page")


class PageHandler(LoopbackHandler, StaticFileHandler):
    """The chat page, which loads nothing from other sites."""

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("Content-Security-Policy", "default-src 'self'; img-src 'self' blob: data:")


class LocalServer:
    """Listens on loopback from `start` to `stop`; port 0 takes a free one."""

    def __init__(self, port: int = 0, clock: Clock = utc_now) -> None:
        self.port = port
        self.state = State(clock)
        self._http: HTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    async def start(self) -> None:
        """Raises OSError if the port is taken."""
        sockets = bind_sockets(self.port, HOST)
        self.port = sockets[0].getsockname()[1]
        self._http = HTTPServer(self._routes(), max_buffer_size=MAX_REQUEST)
        self._http.add_sockets(sockets)

    async def stop(self) -> None:
        await self.state.webhook.stop()
        if self._http is not None:
            self._http.stop()
            await self._http.close_all_connections()
            self._http = None

    def _routes(self) -> Application:
        state = {"state": self.state}
        page = {"path": str(PAGE), "default_filename": "index.html"}
        return Application(
            [
                (r"/bot([^/]+)/([^/]+)", MethodHandler, state),
                (r"/file/bot([^/]+)/(.+)", DownloadHandler, state),
                (r"/chat/events", EventsHandler, state),
                (r"/chat/file/([\w-]+)", FileHandler, state),
                (r"/chat/(\w+)", ChatHandler, state),
                (r"/page/(.+)", PageHandler, page),
                (r"/()", PageHandler, page),
            ],
            log_function=lambda _handler: None,  # tornado would log every request, token included
        )
