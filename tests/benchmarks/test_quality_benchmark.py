"""`python -m benchmarks quality`."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import RESULTS
from benchmarks.quality import Plan, path_of
from benchmarks.tables import table_of
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
    assert set(arms) == {"ours, cls", "ours, mean", "TF-IDF", "TF-IDF, balanced", "majority"}
    runs = {name: arm["runs"][0] for name, arm in document["arms"].items()}
    assert {run["test_rows"] for run in runs.values()} == {40}
    assert {run["trained_on"] for run in runs.values()} == {118}, "all but what stands in both"
    for arm in arms.values():
        assert 0 < arm["accuracy"]["low"] <= arm["accuracy"]["mean"] <= 1
        assert arm["rating_mae"]["mean"] < 10
        assert 0 <= arm["neutral_f1"]["mean"] <= 1
    kept = {file: file.stat().st_mtime_ns for file in work.glob("*-0.json")}
    assert len(kept) == 4
    again = benchmark("quality", *options, "--seeds", "1")
    assert again["summary"] == document["summary"]
    assert kept == {file: file.stat().st_mtime_ns for file in work.glob("*-0.json")}


def test_every_table_has_the_majority_and_the_shares(
    benchmark: Benchmark, few: Path, tmp_path: Path
) -> None:
    options = ("--arm", "majority", "--seeds", "2", "--work", f"{tmp_path}/work")
    document = benchmark("quality", *options, "--split", "film")
    shares = document["rows"]["shares"]
    assert sum(shares.values()) == pytest.approx(1)
    arm = document["summary"]["arms"]["majority"]
    assert (arm["seeds"], arm["neutral_f1"]["mean"]) == (2, 0.0)
    assert arm["accuracy"]["mean"] == pytest.approx(shares["Good"], abs=0.15)
    assert arm["macro_f1"]["high"] < 1 / 3
    assert 2 < arm["rating_mae"]["mean"] < 4
    held_out = {run["test_rows"] for run in document["arms"]["majority"]["runs"]}
    assert max(held_out) < 40
    caption = table_of(document).caption
    assert "% Neutral" in caption
    assert "no film both learnt and judged" in caption


def test_results_are_kept_by_the_rows() -> None:
    plan = Plan("a/train.jsonl.gz", "b/test.jsonl", "random", 3, "e", (), Path(), Path())
    assert path_of(plan) == RESULTS / "quality" / "train+test.json"
    by_film = replace(plan, test=None, split="film", options=("--epochs", "4"))
    assert path_of(by_film) == RESULTS / "quality" / "train-by-film-epochs-4.json"
