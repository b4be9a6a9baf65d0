"""The bot's side over HTTP: /bot<token>/<method> and /file/bot<token>/<path>."""

import asyncio
import re
from hmac import compare_digest

from bot.local.feeds import LongPoll
from bot.local.loopback import StateHandler
from bot.local.methods import METHODS
from bot.local.params import ApiError, Params
from bot.local.people import Json
from bot.local.state import State

MAX_POLL_SECONDS = 50
_WEBHOOK_ACTIVE = (
    "Conflict: can't use getUpdates method while webhook is active; "
    "use deleteWebhook to delete the webhook first"
)


class BotHandler(StateHandler):
    """A request of the bot; a refusal is answered as the Bot API answers."""

    def check_token(self, token: str) -> None:
        if not re.fullmatch(r"\d+:[\w-]+", token):
            raise ApiError(404, "Not Found")
        if not compare_digest(token.encode(), self.settings["token"].encode()):
            raise ApiError(401, "Unauthorized")

    def refusal(self, code: int, description: str, parameters: Json) -> Json:
        answer = {"ok": False, "error_code": code, "description": description}
        return answer | ({"parameters": parameters} if parameters else {})

    async def is_struck(self, method: str) -> bool:
        """Whether the request got the odd answer that a test ordered."""
        odd = self.state.faults.odd(method)
        if odd is None:
            return False
        await asyncio.sleep(odd.seconds)
        if odd.status:
            self.set_status(odd.status)
            self.finish(odd.body)
        else:
            self.detach().close()
        return True


class MethodHandler(BotHandler):
    def initialize(self, state: State) -> None:
        super().initialize(state)
        self.poll = LongPoll()

    async def get(self, token: str, method: str) -> None:
        self.check_token(token)
        if not await self.is_struck(method.lower()):
            result = await self._call(method.lower(), Params.of(self.request))
            self.finish({"ok": True, "result": result})

    post = get

    async def _call(self, method: str, params: Params) -> object:
        self.state.faults.strike(method, params.integer("chat_id"))
        if method == "getupdates":
            return await self._get_updates(params)
        if method not in METHODS:
            raise ApiError(404, "Not Found: method not found")
        return METHODS[method](self.state, params)

    async def _get_updates(self, params: Params) -> list[Json]:
        if self.state.webhook.url:
            raise ApiError(409, _WEBHOOK_ACTIVE)
        self.state.updates.allow(params)
        limit, timeout = params.integer("limit", 100), params.integer("timeout")
        limit = limit if 1 <= limit <= 100 else 100
        timeout = max(0, min(timeout, MAX_POLL_SECONDS))
        return await self.state.updates.poll(self.poll, params.integer("offset"), limit, timeout)

    def on_connection_close(self) -> None:
        self.poll.end(ApiError(499, "The bot has hung up"))


class DownloadHandler(BotHandler):
    async def get(self, token: str, path: str) -> None:
        self.check_token(token)
        if await self.is_struck("file"):
            return
        upload = self.state.files.at(path)
        if upload is None:
            raise ApiError(404, "Not Found")
        self.set_header("Content-Type", "application/octet-stream")
        self.finish(upload.content)
