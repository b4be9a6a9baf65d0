"""The people's side over HTTP: /chat/…, for the page and for tests."""

import asyncio
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from tornado.iostream import StreamClosedError

from bot.local import chatting
from bot.local.chatting import Request
from bot.local.errors import ApiError, ChatError
from bot.local.loopback import LoopbackHandler
from bot.local.params import Upload
from bot.local.people import Json
from bot.local.state import State

KEEP_ALIVE_SECONDS = 20
_SHOWN_IN_PAGE = {"image/png", "image/jpeg", "image/gif", "image/webp"}

_QUESTIONS: dict[str, Callable[[State, Request], Json]] = {
    "state": chatting.overview,
    "messages": chatting.messages,
    "commands": chatting.commands,
}
_ACTS: dict[str, Callable[[State, Request], Json]] = {
    "send": chatting.send,
    "send_file": chatting.send_file,
    "edit": chatting.edit,
    "delete": chatting.delete,
    "tap": chatting.tap,
    "block": chatting.block,
    "control": chatting.control,
}


class ChatHandler(LoopbackHandler):
    def initialize(self, state: State) -> None:
        self.state = state

    def get(self, name: str) -> None:
        self._answer(_QUESTIONS, name, self._arguments())

    def post(self, name: str) -> None:
        if self.request.headers.get("Content-Type", "").startswith("application/json"):
            try:
                values = json.loads(self.request.body)
            except ValueError:
                values = None
        else:
            values = self._arguments()
        self._answer(_ACTS, name, values)

    def _answer(
        self, known: dict[str, Callable[[State, Request], Json]], name: str, values: Any
    ) -> None:
        if name not in known:
            raise ChatError(404, "there is no such address")
        if not isinstance(values, dict):
            raise ChatError(400, "the request must be a JSON object")
        try:
            self.finish(known[name](self.state, Request(values, self._file())))
        except ApiError as error:  # a file that Telegram wouldn't take
            raise ChatError(400, error.description) from None

    def _arguments(self) -> dict[str, str]:
        return {
            name: values[-1].decode("utf-8", "replace")
            for name, values in self.request.arguments.items()
        }

    def _file(self) -> Upload | None:
        for files in self.request.files.values():
            return Upload(files[0].filename, files[0].content_type, files[0].body)
        return None


class EventsHandler(LoopbackHandler):
    """Server-sent events, from where the page was before."""

    def initialize(self, state: State) -> None:
        self.state = state
        self.woken = asyncio.Event()
        self.is_open = True

    async def get(self) -> None:
        log = self.state.events
        request = Request({name: self.get_query_argument(name, "") for name in ("user", "after")})
        user_id = request.user()["id"]
        # A browser that reconnects repeats the address, and says in the header where it was.
        known = [request.number("after")] if "after" in request else []
        if (last := self.request.headers.get("Last-Event-ID", "")).isdecimal():
            known.append(int(last))
        position = max(known, default=log.last_number)
        self.set_header("Content-Type", "text/event-stream")
        self.write("retry: 1000\n\n")
        try:
            await self.flush()
            with log.news.listening(self.woken):
                while self.is_open:
                    self.woken.clear()
                    for event in log.after(position, user_id):
                        self.write(f"id: {event.number}\ndata: {json.dumps(event.content)}\n\n")
                    position = max(position, log.last_number)
                    await self.flush()
                    await self._wait()
        except StreamClosedError:
            pass

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(KEEP_ALIVE_SECONDS):
                await self.woken.wait()
        except TimeoutError:
            self.write(": still here\n\n")

    def on_connection_close(self) -> None:
        self.is_open = False
        self.woken.set()


class FileHandler(LoopbackHandler):
    def initialize(self, state: State) -> None:
        self.state = state

    def get(self, file_id: str) -> None:
        file = self.state.files.get(file_id)
        if file is None:
            raise ChatError(404, "there is no such file")
        mime_type = file.upload.mime_type
        # Anything else, such as HTML, would run as part of the page if it were shown in place.
        is_image = mime_type in _SHOWN_IN_PAGE
        self.set_header("Content-Type", mime_type if is_image else "application/octet-stream")
        place = "inline" if is_image else "attachment"
        self.set_header(
            "Content-Disposition", f"{place}; filename*=UTF-8''{quote(file.upload.name)}"
        )
        self.finish(file.upload.content)
