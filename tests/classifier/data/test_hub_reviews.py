"""blinoff/kinopoisk from a hub that answers, stalls, fails or is away. The hub is a local one."""

import functools
import hashlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import datasets
import huggingface_hub.constants
import pytest

from classifier.data import hub_reviews, reviews
from classifier.data.hub import PROBE_SECONDS, hub_unreachable
from classifier.data.hub_reviews import load_hub_rows
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
FILES = {
    "README.md": b"---\nlanguage:\n- ru\n---\n",
    "kinopoisk.jsonl": "".join(json.dumps(row) + "\n" for row in ROWS).encode(),
}


class LocalHub(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.mood = "answers"
        self.closing = threading.Event()


class Answers(BaseHTTPRequestHandler):
    """As much of the hub as `datasets` asks for a repository that holds one jsonl file."""

    def do_GET(self) -> None:
        assert isinstance(self.server, LocalHub)
        folder, _, name = self.path.partition("?")[0].rpartition("/")
        if self.server.mood == "fails":
            self._answer(500)
        elif self.server.mood == "silent":
            self.server.closing.wait()
        elif "/resolve/" in folder and name in FILES:
            etag = hashlib.sha1(FILES[name]).hexdigest()
            self._answer(200, FILES[name], {"X-Repo-Commit": COMMIT, "ETag": f'"{etag}"'})
        elif "/resolve/" in folder:
            self._answer(404, b"", {"X-Repo-Commit": COMMIT, "X-Error-Code": "EntryNotFound"})
        elif "/tree/" in self.path:
            tree = [
                {"type": "file", "path": path, "size": len(body), "oid": COMMIT}
                for path, body in FILES.items()
            ]
            self._answer(200, json.dumps(tree).encode())
        else:
            info = {"id": "blinoff/kinopoisk", "sha": COMMIT, "siblings": [], "private": False}
            self._answer(200, json.dumps(info).encode())

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
        if self.server.mood == "stalls" and body == FILES["kinopoisk.jsonl"]:
            self.wfile.write(body[: len(body) // 2])
            self.server.closing.wait()
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
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    for variable in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "datasets")
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


@pytest.mark.parametrize("mood", ["silent", "stalls", "fails"])
def test_a_hub_in_trouble_gives_way_to_the_sample(
    hub: LocalHub, mood: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.mood = mood
    hasty = functools.partial(load_hub_rows, silence_seconds=1)
    monkeypatch.setattr(reviews, "load_hub_rows", hasty)
    loaded = load_reviews("auto")
    assert loaded.source == "sample"
    assert loaded.reason == (
        "the bundled sample: no data came from the hub for 1 seconds "
        "and blinoff/kinopoisk is not in the local cache"
    )


def test_silence_cache_and_probe_together_stay_below_15_seconds() -> None:
    assert PROBE_SECONDS + hub_reviews.SILENCE_SECONDS <= 12


@pytest.mark.usefixtures("hub")
def test_no_hub_and_no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    why = "HF_HUB_OFFLINE is set and blinoff/kinopoisk is not in the local cache"
    with pytest.raises(ClassifierError, match=f"No reviews from the hub: {why}"):
        load_reviews("hub")
    assert load_reviews("auto").reason == f"the bundled sample: {why}"


def test_a_download_is_waited_for_while_it_grows_and_given_up_when_it_stops(
    tmp_path: Path,
) -> None:
    grow_for_1_4_seconds = """
import pathlib, sys, time
for size in range(1, 8):
    pathlib.Path(sys.argv[1], "rows").write_bytes(bytes(size))
    time.sleep(0.2)
time.sleep(60)
"""
    command = [sys.executable, "-c", grow_for_1_4_seconds, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        with pytest.raises(ClassifierError, match="no data came from the hub for 1 seconds"):
            hub_reviews._answer_of(child, [tmp_path], silence_seconds=1)
        child.kill()
    assert (tmp_path / "rows").stat().st_size == 7


def test_a_reader_that_dies_is_an_error_not_a_crash(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit(3)"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        answer = hub_reviews._answer_of(child, [tmp_path], silence_seconds=5)
    assert answer == {"error": "reading the hub ended with exit code 3"}
