"""A hub on loopback that serves files, and does with each of them whatever it is told to."""

import hashlib
import random
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "c0ffee" * 6 + "c0ff"
PAGE = b"<!doctype html><title>Please sign in</title>"

MOODS = (
    *("silent", "silent at the file", "stalls", "drips", "drips the headers"),
    *("cuts", "resets", "is no HTTP", "is a sign-in page", "sends a page as the file"),
    *("sends a page of its own hash", "sends {}", "sends nothing", "sends another hash"),
    *("says a longer size", "says a shorter size", "sends a part of its own hash"),
    *("redirects in a circle", "redirects to a page", "redirects to nowhere"),
    *("401", "403", "404", "429", "500", "503"),
)
"""What it may do with a file."""


def git_hash(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class LocalHub(ThreadingHTTPServer):
    """Serves `files` by the end of their path; `moods` are by the same names."""

    daemon_threads = True

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.files = files
        self.moods: dict[str, str] = {}
        self.closing = threading.Event()
        self.chance = random.Random(0)
        self.asked: list[str] = []
        self.has_commits = True  # otherwise it answers with its newest, whatever is asked for

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, *_: object) -> None:
        """Nothing: a client that gives up is what the tests are about."""


class _Answers(BaseHTTPRequestHandler):
    server: LocalHub

    def do_GET(self) -> None:
        hub, name = self.server, self.path.rpartition("/")[2]
        hub.asked.append(f"{self.command} {self.path}")
        if "/resolve/" not in self.path:
            self._answer(200, PAGE)
            return
        if name not in hub.files:
            headers = {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": self._commit()}
            self._answer(404, headers=headers)
            return
        body, mood = hub.files[name], hub.moods.get(name, "answers")
        if mood.isdigit():
            self._answer(int(mood), headers={"Retry-After": "100"})
        elif mood == "silent" or (mood == "silent at the file" and self.command == "GET"):
            hub.closing.wait()
        elif mood == "resets":
            self.close_connection = True
        elif mood == "is no HTTP":
            self.wfile.write(b"\x16\x03\x01 I am something else\n\n")
            self.close_connection = True
        elif mood == "is a sign-in page":
            self._answer(200, PAGE)
        elif mood.startswith("redirects"):
            to = {
                "in a circle": self.path,
                "to a page": "/login",
                "to nowhere": "http://127.0.0.1:9",
            }
            self._answer(302, headers={"Location": to[mood.removeprefix("redirects ")]})
        else:
            self._send_file(body, mood)

    do_HEAD = do_GET  # noqa: N815

    def _commit(self) -> str:
        """The one asked for, or the newest."""
        asked = re.search("/resolve/([0-9a-f]{40})/", self.path)
        return asked[1] if asked and self.server.has_commits else COMMIT

    def _send_file(self, body: bytes, mood: str) -> None:
        etag = git_hash(body)
        sent = {
            "sends a page as the file": PAGE,
            "sends a page of its own hash": PAGE,
            "sends {}": b"{}",
            "sends nothing": b"",
            "sends a part of its own hash": body[: self.server.chance.randrange(len(body))],
        }.get(mood, body)
        if mood.endswith("its own hash") or mood in ("sends {}", "sends nothing"):
            etag = git_hash(sent)
        elif mood == "sends another hash":
            etag = git_hash(body + b"?")
        size = {"says a longer size": 7, "says a shorter size": -7}.get(mood, 0) + len(sent)
        headers = {"ETag": f'"{etag}"', "X-Linked-Size": str(size)}
        headers["X-Repo-Commit"] = self._commit()
        self._answer(200, sent, headers, mood)

    def _answer(
        self,
        status: int,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        mood: str = "answers",
    ) -> None:
        if mood == "drips the headers":
            self._drip(b"HTTP/1.0 200 OK\r\nX-Slow: " + bytes(1000))
            return
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if mood == "cuts":  # also what is asked for again
            body = body[: self.server.chance.randrange(len(body))]
        elif mood == "stalls":
            self.wfile.write(body[: len(body) // 2])
            self.server.closing.wait()
        elif mood == "drips":
            self._drip(body)
        elif mood == "is slow":
            for start in range(0, len(body), len(body) // 6):
                time.sleep(0.3)
                self.wfile.write(body[start : start + len(body) // 6])
            return
        self.wfile.write(body)

    def _drip(self, data: bytes) -> None:
        for byte in data:
            self.wfile.write(bytes([byte]))
            if self.server.closing.wait(0.1):
                return

    def log_message(self, *_: object) -> None:
        """Nothing: the test's output is not the place."""
