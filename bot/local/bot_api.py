"""The bot's side over HTTP: /bot<token>/<method> and /file/bot<token>/<path>."""

import json
import re
from typing import Any

from bot.local.errors import ApiError
from bot.local.loopback import LoopbackHandler
from bot.local.methods import METHODS
from bot.local.params import Params, Upload
from bot.local.people import LOCAL_TOKEN, Json
from bot.local.state import State
from bot.local.updates import LongPoll, checked_kinds
from bot.local.webhook import Webhook

MAX_POLL_SECONDS = 50


class MethodHandler(LoopbackHandler):
    def initialize(self, state: State, webhook: Webhook) -> None:
        self.state, self.webhook = state, webhook
        self.poll = LongPoll()

    async def get(self, token: str, method: str) -> None:
        await self._answer(token, method)

    async def post(self, token: str, method: str) -> None:
        await self._answer(token, method)

    async def _answer(self, token: str, method: str) -> None:
        try:
            check_token(token)
            answer = await self._call(method.lower(), self._params())
        except ApiError as error:
            self.set_status(error.code)
            answer = {"ok": False, "error_code": error.code, "description": error.description}
            if error.parameters:
                answer["parameters"] = error.parameters
        self.finish(answer)

    async def _call(self, method: str, params: Params) -> Json:
        self.state.faults.strike(method)
        match method:
            case "getupdates":
                return {"ok": True, "result": await self._get_updates(params)}
            case "setwebhook":
                return {"ok": True, "result": True, "description": self.webhook.set(params)}
            case "deletewebhook":
                return {"ok": True, "result": True, "description": self.webhook.remove(params)}
            case "getwebhookinfo":
                return {"ok": True, "result": self.webhook.info()}
        if method not in METHODS:
            raise ApiError(404, "Not Found: method not found")
        return {"ok": True, "result": METHODS[method](self.state, params)}

    async def _get_updates(self, params: Params) -> list[Json]:
        if self.webhook.url:
            raise ApiError(
                409,
                "Conflict: can't use getUpdates method while webhook is active; "
                "use deleteWebhook to delete the webhook first",
            )
        updates = self.state.updates
        if "allowed_updates" in params:
            updates.allowed = checked_kinds(params.json("allowed_updates", "allowed updates"))
        limit = params.integer("limit", 100)
        return await updates.poll(
            self.poll,
            offset=params.integer("offset"),
            limit=limit if 1 <= limit <= 100 else 100,
            timeout=max(0, min(params.integer("timeout"), MAX_POLL_SECONDS)),
        )

    def on_connection_close(self) -> None:
        self.poll.end(ApiError(499, "The bot has hung up"))

    def _params(self) -> Params:
        values: dict[str, Any] = {}
        for name, given in self.request.arguments.items():
            try:
                values[name] = given[-1].decode()
            except UnicodeDecodeError:
                raise ApiError.bad_request("strings must be encoded in UTF-8") from None
        if self.request.headers.get("Content-Type", "").startswith("application/json"):
            try:
                values |= json.loads(self.request.body or b"{}")
            except (ValueError, TypeError):
                raise ApiError.bad_request(
                    "can't parse request: body must be a JSON object"
                ) from None
        uploads = {
            name: Upload(files[-1].filename, files[-1].content_type, files[-1].body)
            for name, files in self.request.files.items()
        }
        return Params(values, uploads)


class DownloadHandler(LoopbackHandler):
    def initialize(self, state: State) -> None:
        self.state = state

    def get(self, token: str, path: str) -> None:
        try:
            check_token(token)
            upload = self.state.files.at(path)
            if upload is None:
                raise ApiError(404, "Not Found")
        except ApiError as error:
            self.set_status(error.code)
            self.finish({"ok": False, "error_code": error.code, "description": error.description})
            return
        self.set_header("Content-Type", "application/octet-stream")
        self.finish(upload.content)


def check_token(token: str) -> None:
    if not re.fullmatch(r"\d+:[\w-]+", token):
        raise ApiError(404, "Not Found")
    if token != LOCAL_TOKEN:
        raise ApiError(401, "Unauthorized")
