"""A tiny encoder, few reviews, and the benchmarks on them."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.__main__ import app
from tests import tiny

ROOT = Path(__file__).resolve().parents[2]

Benchmark = Callable[..., dict[str, Any]]
Measure = Callable[[dict[str, Any]], dict[str, Any]]


@pytest.fixture(scope="session")
def few(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Path) -> Path:
    """A folder with `encoder`, `reviews.jsonl` (120 of them) and `models`, with a champion."""
    folder = tmp_path_factory.mktemp("few reviews")
    (folder / "encoder").symlink_to(tiny_encoder)
    tiny.publish_untrained(folder / "models", folder / "encoder")
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in tiny.make_rows(120)]
    (folder / "reviews.jsonl").write_text("".join(lines), encoding="utf-8")
    return folder


@pytest.fixture
def benchmark(few: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Benchmark:
    """`benchmark(name, *options)`: the results of one on the few reviews.

    Its arms are processes; itself it runs in this one, where torch is already imported.
    """
    for name, value in {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}.items():
        monkeypatch.setenv(name, value)

    def run(name: str, *options: str, kind: str = "") -> dict[str, Any]:
        results = tmp_path / f"{name}.json"
        arguments = [*(name, "--reviews", f"{few}/reviews.jsonl", "--json", f"{results}", *options)]
        monkeypatch.setattr(sys, "argv", ["benchmarks", *arguments])
        app(arguments, standalone_mode=False)
        assert not list(tmp_path.glob("*.partial.json"))
        document: dict[str, Any] = json.loads(results.read_bytes())
        assert document["benchmark"] == (kind or name)
        assert document["ended"]
        assert str(few) not in results.read_text("utf-8")  # nobody else has these folders
        return document

    return run
