"""blinoff/kinopoisk from a hub that answers, stalls, fails or is away. The hub is a local one."""

import functools
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from classifier.data import hub_files, reviews
from classifier.data.hub import PROBE_SECONDS, hub_unreachable
from classifier.data.hub_files import SILENCE_SECONDS
from classifier.data.hub_reviews import hub_file
from classifier.data.reviews import load_reviews
from classifier.errors import ClassifierError
from tests.classifier.data.local_hub import MOODS, LocalHub

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
NAME = "kinopoisk.jsonl"


@pytest.fixture
def hub(local_hub: Callable[[dict[str, bytes]], LocalHub]) -> LocalHub:
    """A hub that has the reviews, and an empty cache of its own."""
    return local_hub({NAME: FILE})


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


SILENCE = "no data came from the hub for 1 seconds"
DAMAGED = "kinopoisk.jsonl from the hub is damaged: its hash differs"
TROUBLES = {
    "silent": SILENCE,
    "stalls": SILENCE,
    "drips": SILENCE,
    "cuts": SILENCE,
    "401": "the hub answered 401 for blinoff/kinopoisk",
    "429": "the hub answered 429 for blinoff/kinopoisk",
    "500": "the hub answered 500 for blinoff/kinopoisk",
    "is a sign-in page": "something else than the hub answers at its address",
    "sends a page as the file": DAMAGED,
    "sends another hash": DAMAGED,
    "sends a page of its own hash": "blinoff/kinopoisk from the hub is damaged: "
    "kinopoisk.jsonl holds no reviews",
}


@pytest.mark.parametrize("mood", TROUBLES)
def test_a_hub_in_trouble_gives_way_to_the_sample(
    hub: LocalHub, mood: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.moods[NAME] = mood
    hasten(monkeypatch)
    loaded = load_reviews("auto")
    assert loaded.source == "sample"
    assert loaded.reason == (
        f"the bundled sample: {TROUBLES[mood]} and blinoff/kinopoisk is not in the local cache"
    )
    hub.moods.clear()
    if TROUBLES[mood] != SILENCE:  # else the download that was given up still waits
        assert load_reviews("hub").reason == "blinoff/kinopoisk from the hub"


@pytest.mark.parametrize("mood", ["silent", "500", "is a sign-in page"])
def test_a_hub_in_trouble_gives_way_to_its_cache(
    hub: LocalHub, mood: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = load_reviews("hub")
    hub.moods[NAME] = mood
    hasten(monkeypatch)
    cached = load_reviews("hub")
    assert cached.reason == f"blinoff/kinopoisk from the hub's local cache: {TROUBLES[mood]}"
    assert cached.fingerprint == loaded.fingerprint


@pytest.mark.slow
@pytest.mark.parametrize("mood", MOODS)
def test_whatever_the_hub_does_with_the_file(
    hub: LocalHub, mood: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.moods[NAME] = mood
    hasten(monkeypatch)
    loaded = load_reviews("auto")
    if loaded.source == "hub":
        assert loaded.rows["content"] == [row["content"] for row in ROWS]
        assert "size" in mood
    else:
        assert loaded.reason.startswith("the bundled sample: ")
        assert "\n" not in loaded.reason


def test_a_refused_token_is_named(hub: LocalHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    hub.moods[NAME] = "401"
    reason = load_reviews("auto").reason
    assert "answered 401 for blinoff/kinopoisk and may refuse the token of HF_TOKEN" in reason
    monkeypatch.setenv("HF_TOKEN", "hf_\x01secret")
    assert "secret" not in load_reviews("auto").reason


@pytest.mark.parametrize("damage", ["cut", "gone", "changed"])
def test_a_damaged_cache_is_as_none_and_is_mended_by_the_hub(hub: LocalHub, damage: str) -> None:
    blob = Path(hub_file(from_cache=False)).resolve()
    if damage == "gone":
        blob.unlink()  # its link dangles
    else:
        blob.write_bytes(FILE[:-9] if damage == "cut" else FILE.replace(b"9.0", b"1.0"))
    with pytest.raises(ClassifierError):
        hub_file(from_cache=True)
    assert hub_file(from_cache=False).read_bytes() == FILE
    assert hub_file(from_cache=True).read_bytes() == FILE


def test_silence_cache_and_probe_together_stay_below_15_seconds() -> None:
    assert PROBE_SECONDS + SILENCE_SECONDS <= 13


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
    hub.moods[NAME] = "is slow"  # two seconds
    monkeypatch.setattr(hub_files, "_CHUNK", 64)
    hasten(monkeypatch)
    assert load_reviews("hub").reason == "blinoff/kinopoisk from the hub"
