"""blinoff/kinopoisk from a hub that answers, stalls, fails or is away. The hub is a local one."""

import functools
import hashlib
import json
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import huggingface_hub.constants
import pytest

from classifier.data import hub_reviews, reviews
from classifier.data.hub import PROBE_SECONDS, hub_unreachable
from classifier.data.hub_reviews import hub_file
from classifier.data.reviews import load_reviews
from classifier.errors import ClassifierError

COMMIT = "c0ffee" * 6 + "c0ff"
ROWS = [
    {
        "part": "top250",
        "movie_name": f"Фильм {index}",
        "review_id": str(index),
        "author": "А",
        "date": "1 мая 2010",
        "title": None,
        "grade3": "Good" if index % 2 else "Bad",
        "grade10": 9.0 if index % 2 else None,
        "content": f"Номер {index}: об этом фильме можно говорить долго.",
    }
    for index in range(12)
]
FILE = "".join(json.dumps(row) + "\n" for row in ROWS).encode()
PAGE = b"<!doctype html><title>Please sign in</title>"
HUB_HEADERS = {"X-Repo-Commit": COMMIT, "ETag": f'"{hashlib.sha1(FILE).hexdigest()}"'}


class LocalHub(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.mood = "answers"
        self.closing = threading.Event()


class Answers(BaseHTTPRequestHandler):
    """As much of the hub as the download of one file asks for."""

    def do_GET(self) -> None:
        assert isinstance(self.server, LocalHub)
        assert self.path == "/datasets/blinoff/kinopoisk/resolve/main/kinopoisk.jsonl"
        match self.server.mood:
            case "silent":
                self.server.closing.wait()
            case "fails":
                self._answer(500)
            case "is a sign-in page":
                self._answer(200, PAGE)
            case "sends a page as the file":
                self._answer(200, PAGE, HUB_HEADERS)
            case _:
                self._answer(200, FILE, HUB_HEADERS)

    do_HEAD = do_GET  # noqa: N815

    def _answer(
        self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> None:
        assert isinstance(self.server, LocalHub)
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if self.server.mood == "cuts":  # also what is asked for again
            body = body[: len(body) // 2]
        elif self.server.mood == "stalls":
            self.wfile.write(body[: len(body) // 2])
            self.server.closing.wait()
        elif self.server.mood == "is slow":
            for start in range(0, len(body), len(body) // 6):
                time.sleep(0.3)
                self.wfile.write(body[start : start + len(body) // 6])
            return
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: the test's output is not the place."""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[LocalHub]:
    """A hub on loopback, `mood` "answers", and an empty cache of its own."""
    server = LocalHub()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for variable in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(huggingface_hub.constants, "DOWNLOAD_CHUNK_SIZE", 2**16)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_XET", False)
    hub_unreachable.cache_clear()
    yield server
    hub_unreachable.cache_clear()
    server.closing.set()
    server.shutdown()
    server.server_close()


def test_the_hub_then_its_cache(hub: LocalHub) -> None:
    loaded = load_reviews("auto")
    assert loaded.reason == "blinoff/kinopoisk from the hub"
    assert loaded.rows["content"] == [row["content"] for row in ROWS]
    assert loaded.rows["review_id"] == [row["review_id"] for row in ROWS]
    assert loaded.rows["rating"] == [None, 9] * 6

    hub.shutdown()
    hub.server_close()
    hub_unreachable.cache_clear()
    cached = load_reviews("hub")
    assert cached.reason.startswith(
        "blinoff/kinopoisk from the hub's local cache: 127.0.0.1 can't be reached ("
    )
    assert cached.fingerprint == loaded.fingerprint


def hasten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reviews, "hub_file", functools.partial(hub_file, silence_seconds=1))


TROUBLES = {
    "silent": "no data came from the hub for 1 seconds",
    "stalls": "no data came from the hub for 1 seconds",
    "fails": "the hub answered 500 for blinoff/kinopoisk",
    "cuts": "no data came from the hub for 1 seconds",
    "is a sign-in page": "something else than the hub answers at its address",
    "sends a page as the file": "kinopoisk.jsonl from the hub holds no reviews",
}


@pytest.mark.parametrize("mood", TROUBLES)
def test_a_hub_in_trouble_gives_way_to_the_sample(
    hub: LocalHub, mood: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.mood = mood
    hasten(monkeypatch)
    loaded = load_reviews("auto")
    assert loaded.source == "sample"
    assert loaded.reason == (
        f"the bundled sample: {TROUBLES[mood]} and blinoff/kinopoisk is not in the local cache"
    )


@pytest.mark.parametrize("mood", ["silent", "fails", "is a sign-in page"])
def test_a_hub_in_trouble_gives_way_to_its_cache(
    hub: LocalHub, mood: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = load_reviews("hub")
    hub.mood = mood
    hasten(monkeypatch)
    cached = load_reviews("hub")
    assert cached.reason == f"blinoff/kinopoisk from the hub's local cache: {TROUBLES[mood]}"
    assert cached.fingerprint == loaded.fingerprint


def test_silence_cache_and_probe_together_stay_below_15_seconds() -> None:
    assert PROBE_SECONDS + hub_reviews.SILENCE_SECONDS <= 12


@pytest.mark.usefixtures("hub")
def test_no_hub_and_no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    why = "HF_HUB_OFFLINE is set and blinoff/kinopoisk is not in the local cache"
    with pytest.raises(ClassifierError, match=f"No reviews from the hub: {why}"):
        load_reviews("hub")
    assert load_reviews("auto").reason == f"the bundled sample: {why}"


def test_a_download_is_waited_for_while_it_grows(
    hub: LocalHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.mood = "is slow"  # two seconds
    monkeypatch.setattr(hub_reviews, "_CHUNK", 64)
    hasten(monkeypatch)
    assert load_reviews("hub").reason == "blinoff/kinopoisk from the hub"
