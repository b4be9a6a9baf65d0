"""`python -m benchmarks audit`: what is planted, and how finds are counted."""

import json
from pathlib import Path

import pytest

from benchmarks import audit
from benchmarks.__main__ import app
from classifier.data.reviews import load_reviews
from classifier.labels import SENTIMENTS, sentiment_of
from tests import tiny


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "reviews.jsonl"
    rows = (json.dumps(row, ensure_ascii=False) + "\n" for row in tiny.make_rows(150))
    file.write_text("".join(rows), encoding="utf-8")
    return file


def test_the_planted_labels_are_wrong_and_the_others_right(source: Path) -> None:
    rows = load_reviews(str(source)).rows
    planted = audit.to_plant(len(rows), 0.1)
    lines = [json.loads(line) for line in audit.with_errors(rows, planted).splitlines()]
    assert len(planted) == len(set(planted)) == round(len(rows) / 10)
    for number, (line, row) in enumerate(zip(lines, rows, strict=True)):
        right = SENTIMENTS[row["sentiment"]]
        assert line["review_id"] == str(number)
        assert (line["grade3"] != right) == (number in planted)
        assert (line["grade10"] is None) == (row["rating"] is None)
        if line["grade10"] is not None:  # the grades of a row agree, as a person's do
            assert SENTIMENTS[sentiment_of(int(line["grade10"]))] == line["grade3"]


def test_finds_are_counted_in_order() -> None:
    found = [*range(60), *range(100, 160)]
    figures = audit.figures(found, planted=list(range(10, 110)))
    assert figures["precision"] == {"20": 0.5, "50": 0.8, "100": 0.6}
    assert figures["recall"] == 0.6


@pytest.mark.slow
def test_the_audit_of_planted_errors(
    source: Path, tiny_encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = tmp_path / "audit.json"
    options = [
        "--encoder",
        f"{tiny_encoder}",
        "--work",
        f"{tmp_path}/work",
        "--json",
        f"{document}",
    ]
    command = ["audit", "--reviews", f"{source}", "--cache", f"{tmp_path}/cache", *options]
    app(command, standalone_mode=False)
    found = json.loads(document.read_bytes())
    assert found["planted"] == round(0.05 * found["rows"]["rows"])
    assert 0 <= found["recall"] <= 1
    assert f"{found['planted']} were made wrong" in capsys.readouterr().out
