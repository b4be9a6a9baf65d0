"""The local Bot API server: its addresses, start and stop."""

from pathlib import Path

from tornado.httpserver import HTTPServer
from tornado.web import Application, StaticFileHandler

from bot.clock import Clock, utc_now
from bot.local.bot_api import DownloadHandler, MethodHandler
from bot.local.chat_api import ChatHandler, EventsHandler, FileHandler
from bot.local.loopback import ChatSideHandler
from bot.local.params import MAX_UPLOAD
from bot.local.people import BOT, LOCAL_TOKEN
from bot.local.state import State
from bot.loopback import LOOPBACK, is_open, listen

__all__ = ["LOCAL_TOKEN", "LocalServer"]

MAX_REQUEST = 2 * MAX_UPLOAD  # bytes; one between the two is refused as Telegram refuses it
PAGE = Path(__file__).with_name("page")


class PageHandler(ChatSideHandler, StaticFileHandler):
    """The chat page, which loads nothing from other sites."""


class LocalServer:
    """Listens from `start` to `stop`, on loopback and on `host`; port 0 takes a free one.

    With a key only those who have it can chat or be the bot; without one, everybody who reaches it.
    """

    def __init__(
        self,
        port: int = 0,
        clock: Clock = utc_now,
        key: str | None = None,
        host: str = LOOPBACK,
    ) -> None:
        self.port = port
        self._host = host
        self.key = key
        self.token = LOCAL_TOKEN if key is None else f"{BOT['id']}:{key}"
        self.state = State(clock)
        self._http: HTTPServer | None = None

    @property
    def url(self) -> str:
        """For this machine."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def page(self) -> str:
        """The address of the chat page, for the browser."""
        return f"{self.url}/" if self.key is None else f"{self.url}/?key={self.key}"

    async def start(self) -> None:
        """Raises OSError if the port is taken, or the address is none of this machine's."""
        sockets = listen(self.port, self._host)
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
            key=self.key,
            is_open=is_open(self._host),
            token=self.token,
            log_function=lambda _handler: None,  # tornado would log every request, token included
        )
