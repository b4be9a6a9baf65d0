"""Texts as people write them."""

import json
from pathlib import Path

import pytest

SAMPLE = Path(__file__).resolve().parents[3] / "classifier" / "data" / "sample" / "reviews.jsonl"


@pytest.fixture(scope="session")
def texts() -> list[str]:
    """Some of the sample's reviews."""
    with SAMPLE.open(encoding="utf-8") as lines:
        return [json.loads(line)["content"] for line in lines][::40]
