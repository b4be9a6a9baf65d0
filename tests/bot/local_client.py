"""A person in the local chat, played over HTTP: writes, edits, taps, waits for what comes back."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
from telegram import Message

Json = dict[str, Any]
PATIENCE = 90.0  # seconds before a test that waits in vain fails; a busy machine is slow


class Person:
    """One user in one chat; by default in the private chat with the bot."""

    def __init__(self, http: httpx.AsyncClient, user: int, chat: int | None = None) -> None:
        self.http, self.user, self.chat = http, user, user if chat is None else chat

    async def send(self, text: str, reply_to: int | None = None) -> list[Message]:
        """The messages that the text became: a long one is split."""
        answer = await self._post("send", text=text, reply_to=reply_to)
        return [_message(sent) for sent in answer["messages"]]

    async def send_file(
        self, kind: str, file: tuple[str, bytes, str] | None = None, caption: str = ""
    ) -> Message:
        """`kind` is document, photo, voice, sticker or channel_post; `file` is name, content and
        MIME type."""
        response = await self.http.post(
            "/chat/send_file",
            data={"user": self.user, "chat": self.chat, "kind": kind, "caption": caption},
            files={"file": file} if file else None,
        )
        return _message(_checked(response)["messages"][0])

    async def edit(self, message_id: int, text: str) -> Message:
        return _message((await self._post("edit", message_id=message_id, text=text))["message"])

    async def delete(self, message_id: int) -> None:
        await self._post("delete", message_id=message_id)

    async def tap(self, message_id: int, data: str) -> str:
        """The id of the callback query, whose answer comes as an event."""
        answer = await self._post("tap", message_id=message_id, data=data)
        return str(answer["callback_query_id"])

    async def tap_and_wait(self, message_id: int, data: str) -> str:
        """The text that the bot answers the tap with; "" if it has none."""
        async with self.events() as events:
            query_id = await self.tap(message_id, data)
            async with asyncio.timeout(PATIENCE):
                async for event in events:
                    if event.get("callback_query_id") == query_id:
                        return str(event["text"])
        raise AssertionError("the server has hung up")

    async def block(self, blocked: bool = True) -> None:
        await self._post("block", blocked=blocked)

    async def commands(self) -> dict[str, str]:
        """The descriptions of the commands in the menu, by command."""
        answer = await self._get("commands")
        return {command["command"]: command["description"] for command in answer["commands"]}

    async def messages(self) -> list[Message]:
        return [_message(message) for message in (await self._get("messages"))["messages"]]

    async def from_bot(self) -> list[Message]:
        return [message for message in await self.messages() if is_from_bot(message)]

    async def wait_until(
        self, condition: Callable[[list[Message]], bool], patience: float = PATIENCE
    ) -> list[Message]:
        """All messages, as soon as the condition holds for them."""
        answer = await self._get("messages")
        seen = {message["message_id"]: _message(message) for message in answer["messages"]}
        try:
            async with asyncio.timeout(patience), self.events(after=answer["event"]) as events:
                while not condition(list(seen.values())):
                    self._apply(await anext(events), seen)
        except TimeoutError:
            texts = "\n".join(str(message.text) for message in seen.values())
            raise AssertionError(f"waited {patience} s in vain; the chat:\n{texts}") from None
        return list(seen.values())

    def _apply(self, event: Json, seen: dict[int, Message]) -> None:
        if event["chat_id"] != self.chat:
            return
        if event["type"] in ("message", "edited"):
            seen[event["message"]["message_id"]] = _message(event["message"])
        elif event["type"] == "deleted":
            seen.pop(event["message_id"], None)

    async def answer_to(self, message_id: int, patience: float = PATIENCE) -> Message:
        """The bot's first message after this one."""

        def after(messages: list[Message]) -> list[Message]:
            return [m for m in messages if m.message_id > message_id and is_from_bot(m)]

        return after(await self.wait_until(lambda messages: bool(after(messages)), patience))[0]

    async def ask(self, text: str, patience: float = PATIENCE) -> Message:
        """Send a text; the bot's first message after it."""
        sent = await self.send(text)
        return await self.answer_to(sent[-1].message_id, patience)

    async def edited(self, message_id: int, old: Message, patience: float = PATIENCE) -> Message:
        """The message when it no longer is as `old`."""

        def find(messages: list[Message]) -> Message:
            return next(message for message in messages if message.message_id == message_id)

        def changed(messages: list[Message]) -> bool:
            return find(messages).to_dict() != old.to_dict()

        return find(await self.wait_until(changed, patience))

    @asynccontextmanager
    async def events(self, after: int | None = None) -> AsyncIterator[AsyncIterator[Json]]:
        """What this user sees happen from now on, or after the event `after`."""
        params = {"user": self.user} | ({} if after is None else {"after": after})
        async with self.http.stream("GET", "/chat/events", params=params, timeout=None) as response:
            response.raise_for_status()
            yield _events(response)

    async def _get(self, name: str) -> Json:
        params = {"user": self.user, "chat": self.chat}
        return _checked(await self.http.get(f"/chat/{name}", params=params))

    async def _post(self, name: str, **values: object) -> Json:
        body = {"user": self.user, "chat": self.chat, **values}
        return _checked(await self.http.post(f"/chat/{name}", json=body))


def is_from_bot(message: Message) -> bool:
    return message.from_user is not None and message.from_user.is_bot


@asynccontextmanager
async def chat_client(url: str) -> AsyncIterator[httpx.AsyncClient]:
    """For `Person` and `control`; `url` is the server's, or the page's with its key."""
    # It is plain HTTP: loading certificates would take longer than most tests.
    server, _, key = url.partition("/?")
    async with httpx.AsyncClient(
        base_url=server, trust_env=False, verify=False, timeout=PATIENCE
    ) as http:
        if key:
            assert (await http.get(url, follow_redirects=True)).is_success
        yield http


async def control(http: httpx.AsyncClient, **wish: object) -> None:
    """Order trouble, see Faults in bot/local/state.py."""
    _checked(await http.post("/chat/control", json=wish))


async def _events(response: httpx.Response) -> AsyncIterator[Json]:
    number = 0
    async for line in response.aiter_lines():
        if line.startswith("id: "):
            number = int(line.removeprefix("id: "))
        elif line.startswith("data: "):
            yield {"number": number, **json.loads(line.removeprefix("data: "))}


def _checked(response: httpx.Response) -> Json:
    assert response.is_success, f"{response.status_code}: {response.text}"
    return dict(response.json())


def _message(data: Json) -> Message:
    return Message.de_json(data, None)
