"""`python -m benchmarks quality`."""

import json
from pathlib import Path

import pytest

from tests import tiny
from tests.benchmarks.conftest import Benchmark

TRAINING = "--epochs 1 --max-tokens 32"


@pytest.mark.slow
def test_it_judges_arms_on_the_same_rows_and_goes_on_where_it_was(
    benchmark: Benchmark, few: Path, tmp_path: Path
) -> None:
    work, test = tmp_path / "work", tmp_path / "test.jsonl"
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in tiny.make_rows(40, seed=5)]
    test.write_text("".join(lines), encoding="utf-8")
    options = (
        *("--encoder", f"{few}/encoder", "--test", str(test), "--work", str(work)),
        *("--train-options", TRAINING, "--cache", f"{tmp_path}/cache"),
    )
    document = benchmark("quality", *options, "--seeds", "1")
    arms = document["summary"]["arms"]
    assert set(arms) == {"ours, cls", "ours, mean", "TF-IDF", "TF-IDF, all rows"}
    runs = {name: arm["runs"][0] for name, arm in document["arms"].items()}
    assert len({run["test_rows"] for run in runs.values()}) == 1
    assert runs["ours, cls"]["trained_on"] == runs["TF-IDF"]["trained_on"]
    assert runs["TF-IDF"]["trained_on"] < runs["TF-IDF, all rows"]["trained_on"]
    for arm in arms.values():
        assert 0 < arm["accuracy"]["low"] <= arm["accuracy"]["mean"] <= 1
        assert arm["rating_mae"]["mean"] < 10
    kept = {file: file.stat().st_mtime_ns for file in work.glob("*-0.json")}
    assert len(kept) == 3
    again = benchmark("quality", *options, "--seeds", "1")
    assert again["summary"] == document["summary"]
    assert kept == {file: file.stat().st_mtime_ns for file in work.glob("*-0.json")}
