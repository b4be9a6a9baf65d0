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
    held_out = [*tiny.make_rows(38, seed=5), *tiny.make_rows(120)[:2]]
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in held_out]
    test.write_text("".join(lines), encoding="utf-8")
    options = (
        *("--encoder", f"{few}/encoder", "--test", str(test), "--work", str(work)),
        *("--train-options", TRAINING, "--cache", f"{tmp_path}/cache"),
    )
    document = benchmark("quality", *options, "--seeds", "1")
    arms = document["summary"]["arms"]
    assert set(arms) == {"ours, cls", "ours, mean", "TF-IDF"}
    runs = {name: arm["runs"][0] for name, arm in document["arms"].items()}
    assert {run["test_rows"] for run in runs.values()} == {40}
    assert {run["trained_on"] for run in runs.values()} == {118}, "all but what stands in both"
    for arm in arms.values():
        assert 0 < arm["accuracy"]["low"] <= arm["accuracy"]["mean"] <= 1
        assert arm["rating_mae"]["mean"] < 10
    kept = {file: file.stat().st_mtime_ns for file in work.glob("*-0.json")}
    assert len(kept) == 2
    again = benchmark("quality", *options, "--seeds", "1")
    assert again["summary"] == document["summary"]
    assert kept == {file: file.stat().st_mtime_ns for file in work.glob("*-0.json")}
