"""A real Chromium without a window, driven over its DevTools protocol.

Waiting is done in the page by a MutationObserver, clicks and keys arrive like a person's: what is
covered or hidden can't be clicked.
"""

import asyncio
import base64
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Any, Self

from tornado.websocket import WebSocketClientConnection, websocket_connect

OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--remote-debugging-port=0",
    # A mouse is at hand, which a machine without a screen would deny.
    "--blink-settings=primaryHoverType=2,availableHoverTypes=2,"
    "primaryPointerType=4,availablePointerTypes=4",
)
KEYS = {"Enter": (13, "\r"), "Escape": (27, ""), "ArrowUp": (38, ""), "ArrowDown": (40, "")}
PATIENCE_MS = 10_000

# The expression's first truthy value, as soon as the page has come so far.
UNTIL = """new Promise((resolve, reject) => {
  const look = () => {
    const found = (() => (%s))();
    if (!found) return;
    observer.disconnect();
    resolve(found);
  };
  const observer = new MutationObserver(look);
  const all = {subtree: true, childList: true, attributes: true, characterData: true};
  observer.observe(document, all);
  document.addEventListener("load", look, true);
  document.addEventListener("scroll", look, true);
  const giveUp = () => reject(new Error("waited in vain; it says: " + document.body.innerText));
  setTimeout(giveUp, %d);
  look();
})"""

# Where to click on the last element that matches the selector and has this line of text, if any.
PLACE = """((node) => {
  if (!node) return null;
  node.scrollIntoView({block: "nearest", behavior: "instant"});
  const {left, top, width, height} = node.getBoundingClientRect();
  const [x, y] = [left + width / 2, top + height / 2];
  return node.contains(document.elementFromPoint(x, y)) && {x, y};
})([...document.querySelectorAll(%s)].findLast((node) => node.innerText.split("\\n").some(
  (line) => [line.trim(), ""].includes(%s))))"""


def find_chromium() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


@contextmanager
def running_chromium(program: str, folder: Path) -> Iterator[str]:
    """Yields the address at which it can be driven."""
    process = subprocess.Popen(
        [program, *OPTIONS, f"--user-data-dir={folder}"], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    try:
        said = []
        for line in process.stderr:
            if match := re.search(r"DevTools listening on (ws://\S+)", line):
                break
            said.append(line)
        else:
            raise RuntimeError("Chromium did not start: " + "".join(said))
        # Unread, its messages would fill the pipe and stop it.
        Thread(target=process.stderr.read, daemon=True).start()
        yield match[1]
    finally:
        process.terminate()
        process.wait(timeout=20)


class Page:
    """One tab with its own cookies and storage."""

    def __init__(self, connection: WebSocketClientConnection) -> None:
        self._connection = connection
        self._session: str | None = None
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._reading = asyncio.create_task(self._read())
        self.errors: list[str] = []
        """Uncaught exceptions and console errors of the page."""

    @classmethod
    async def open(
        cls, chromium: str, url: str, size: tuple[int, int] = (1280, 800), *, dark: bool = False
    ) -> Self:
        page = cls(await websocket_connect(chromium, max_message_size=2**26))
        context = await page.do("Target.createBrowserContext", disposeOnDetach=True)
        target = await page.do("Target.createTarget", url="about:blank", **context)
        page._session = (await page.do("Target.attachToTarget", **target, flatten=True))[
            "sessionId"
        ]
        await page.do("Runtime.enable")
        is_phone = size[0] < 500
        metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1 + is_phone}
        await page.do("Emulation.setDeviceMetricsOverride", **metrics, mobile=is_phone)
        if is_phone:
            await page.do("Emulation.setTouchEmulationEnabled", enabled=True)
        media = {
            "prefers-color-scheme": "dark" if dark else "light",
            "prefers-reduced-motion": "reduce",  # what moves can't be clicked reliably
        }
        features = [{"name": name, "value": value} for name, value in media.items()]
        await page.do("Emulation.setEmulatedMedia", features=features)
        await page.do("Page.navigate", url=url)
        await page.until("location.href !== 'about:blank' && document.querySelector('.person')")
        return page

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()
        await self._reading

    async def do(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = len(self._answers)
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        await self._connection.write_message(json.dumps(message))
        return await answer

    async def evaluate(self, expression: str) -> Any:
        """The value, awaited if it is a promise."""
        answer = await self.do(
            "Runtime.evaluate",
            expression=expression,
            awaitPromise=True,
            returnByValue=True,
            userGesture=True,
        )
        if "exceptionDetails" in answer:
            raise AssertionError(answer["exceptionDetails"]["exception"]["description"])
        return answer["result"].get("value")

    async def reload(self) -> None:
        """Load the page anew; what is waited for in the old one would be cut short."""
        await self.evaluate("window.old = true; location.reload()")
        async with asyncio.timeout(PATIENCE_MS / 1000):
            while await self._is_loading():
                await asyncio.sleep(0.05)

    async def _is_loading(self) -> bool:
        try:
            return bool(await self.evaluate("window.old || document.readyState !== 'complete'"))
        except AssertionError:  # asked just when the old page went
            return True

    async def until(self, expression: str) -> Any:
        return await self.evaluate(UNTIL % (expression, PATIENCE_MS))

    async def shows(self, text: str, within: str = "body") -> None:
        """Waits until the text can be read there."""
        inside = f"document.querySelector({json.dumps(within)})?.innerText"
        await self.until(f"{inside}?.includes({json.dumps(text)})")

    async def texts(self, selector: str) -> list[str]:
        nodes = f"[...document.querySelectorAll({json.dumps(selector)})]"
        found: list[str] = await self.evaluate(f"{nodes}.map((node) => node.innerText.trim())")
        return found

    async def click(self, selector: str, text: str = "") -> None:
        at = await self.until(PLACE % (json.dumps(selector), json.dumps(text)))
        for kind in ("mousePressed", "mouseReleased"):
            await self.do("Input.dispatchMouseEvent", type=kind, **at, button="left", clickCount=1)

    async def write(self, text: str) -> None:
        await self.do("Input.insertText", text=text)

    async def press(self, key: str) -> None:
        code, text = KEYS[key]
        common = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        await self.do("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
        await self.do("Input.dispatchKeyEvent", type="keyUp", **common)

    async def choose_file(self, selector: str, file: Path) -> None:
        """As if it had been picked in the dialog of this input."""
        expression = f"document.querySelector({json.dumps(selector)})"
        answer = await self.do("Runtime.evaluate", expression=expression)
        place = answer["result"]["objectId"]
        await self.do("DOM.setFileInputFiles", files=[str(file)], objectId=place)

    async def screenshot(self, file: Path) -> None:
        answer = await self.do("Page.captureScreenshot")
        file.write_bytes(base64.b64decode(answer["data"]))

    async def _read(self) -> None:
        while (line := await self._connection.read_message()) is not None:
            message = json.loads(line)
            if "id" in message:
                answer = self._answers[message["id"]]
                if "error" in message:
                    answer.set_exception(AssertionError(message["error"]["message"]))
                else:
                    answer.set_result(message["result"])
            elif message["method"] == "Runtime.exceptionThrown":
                self.errors.append(str(message["params"]["exceptionDetails"]))
            elif (
                message["method"] == "Runtime.consoleAPICalled"
                and message["params"]["type"] == "error"
            ):
                self.errors.append(str(message["params"]["args"]))
