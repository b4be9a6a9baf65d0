"""Files predicted by two invented models, without torch."""

import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifier.data.schema import DEFAULT, Schema
from classifier.serving.bulk import BulkResult, predict_file

Progress = list[tuple[int, int | None]]


@dataclass(frozen=True)
class Answer:
    """What a Prediction has, without torch."""

    sentiment: str
    confidence: float
    rating: int | None
    rating_confidence: float | None


def fake_predict(texts: list[str]) -> list[Any]:
    answers = []
    for text in texts:
        number = zlib.crc32(text.encode())
        confidence = number / 2**32
        cls = Answer(("Bad", "Neutral", "Good")[number % 3], confidence, number % 11, 0.25)
        answers.append({"cls": cls, "mean": Answer("Good", 1 - confidence, None, None)})
    return answers


def expected(text: str) -> dict[str, Any]:
    """The models' part of a row."""
    number = zlib.crc32(text.encode())
    confidence = number / 2**32
    return {
        "cls": {
            "sentiment": ("Bad", "Neutral", "Good")[number % 3],
            "confidence": round(confidence, 4),
            "rating": number % 11,
            "rating_confidence": 0.25,
        },
        "mean": {
            "sentiment": "Good",
            "confidence": round(1 - confidence, 4),
            "rating": None,
            "rating_confidence": None,
        },
    }


def run(
    source: Path,
    target: Path,
    predict: Callable[[list[str]], Sequence[Any]] = fake_predict,
    *,
    version: str = "v1",
    schema: Schema = DEFAULT,
    progress: Progress | None = None,
) -> BulkResult:
    calls: Progress = [] if progress is None else progress
    return predict_file(
        predict,
        source,
        target,
        version=version,
        schema=schema,
        on_progress=lambda done, in_all: calls.append((done, in_all)),
    )


def reviews(rows: int) -> list[str]:
    return [f"Отзыв номер {number}, и он мне нравится." for number in range(1, rows + 1)]


def jsonl(path: Path, rows: int) -> Path:
    lines = (
        json.dumps({"review_id": f"r{number}", "content": text}, ensure_ascii=False) + "\n"
        for number, text in enumerate(reviews(rows), 1)
    )
    path.write_text("".join(lines), encoding="utf-8")
    return path


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
