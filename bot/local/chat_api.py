"""The people's side over HTTP: /chat/…, for the page and for tests."""

import asyncio
import json
from collections.abc import Mapping
from urllib.parse import quote

from tornado.iostream import StreamClosedError

from bot.local.chat_requests import ACTS, QUESTIONS, Answer, user_of
from bot.local.loopback import ChatSideHandler, StateHandler
from bot.local.params import ApiError, Params
from bot.local.state import State

KEEP_ALIVE_SECONDS = 20
_SHOWN_IN_PAGE = {"image/png", "image/jpeg", "image/gif", "image/webp"}


class ChatHandler(StateHandler, ChatSideHandler):
    def get(self, name: str) -> None:
        self._answer(QUESTIONS, name)

    def post(self, name: str) -> None:
        self._answer(ACTS, name)

    def _answer(self, known: Mapping[str, Answer], name: str) -> None:
        if name not in known:
            raise ApiError(404, "there is no such address")
        self.finish(known[name](self.state, Params.of(self.request)))


class EventsHandler(StateHandler, ChatSideHandler):
    """Server-sent events, from the last one that the page knows."""

    def initialize(self, state: State) -> None:
        super().initialize(state)
        self.woken = asyncio.Event()
        self.is_open = True

    async def get(self) -> None:
        log = self.state.events
        params = Params.of(self.request)
        user_id = user_of(params)["id"]
        # A browser that reconnects repeats the address and adds the last event in a header.
        known = [params.integer("after")] if params.text("after") else []
        if (last := self.request.headers.get("Last-Event-ID", "")).isdecimal():
            known.append(int(last))
        position = max(known, default=log.last_number)
        self.set_header("Content-Type", "text/event-stream")
        self.write("retry: 1000\n\n")
        try:
            await self.flush()
            with log.listeners.with_listener(self.woken):
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


class FileHandler(StateHandler, ChatSideHandler):
    def get(self, file_id: str) -> None:
        file = self.state.files.get(file_id)
        if file is None:
            raise ApiError(404, "there is no such file")
        kind, place = file.upload.mime_type, "inline"
        # Anything else, such as HTML, would run as part of the page if the browser showed it.
        if kind not in _SHOWN_IN_PAGE:
            kind, place = "application/octet-stream", "attachment"
        self.set_header("Content-Type", kind)
        name = quote(file.upload.name)
        self.set_header("Content-Disposition", f"{place}; filename*=UTF-8''{name}")
        self.finish(file.upload.content)
