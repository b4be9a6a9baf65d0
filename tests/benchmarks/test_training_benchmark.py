"""`python -m benchmarks training`, and each of its arms."""

import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoConfig

from benchmarks import gemm, notebook, ours, rows, tfidf, trainer
from benchmarks.pace import Pace, TrainingJob
from classifier.data.reviews import load_reviews
from classifier.errors import ClassifierError
from classifier.training.loop import new_model
from classifier.training.recipe import DEFAULT
from tests.benchmarks.conftest import ROOT, Benchmark, Measure


@pytest.fixture
def job(few: Path, tmp_path: Path) -> TrainingJob:
    found = rows.subset(load_reviews(str(few / "reviews.jsonl")).rows, 64)
    file = rows.write(tmp_path / "rows.jsonl", found)
    cache = str(tmp_path / "cache")
    return TrainingJob(file, str(few / "encoder"), cache, 0.05, 0, attention="eager")


@pytest.mark.slow
def test_it_times_arms_side_by_side(benchmark: Benchmark, few: Path) -> None:
    document = benchmark(
        *("training", "--repeats", "1", "--seconds", "0.05", "--encoder", f"{few}/encoder"),
        *("--arm", "ours, cls", "--arm", "GEMM"),
    )
    assert document["rows"]["rows"] == 64
    assert document["rows"]["source"] == "reviews.jsonl"
    assert document["command"].startswith("python -m benchmarks training --reviews reviews.jsonl")
    assert set(document["arms"]) == {"ours, cls", "GEMM"}
    (run,) = document["arms"]["ours, cls"]["runs"]
    ours_alone = document["summary"]["arms"]["ours, cls"]
    assert ours_alone["reviews_per_second"] == run["reviews_per_second"] > 0
    assert run["peak_mb"] > 100
    assert 0 < ours_alone["share_of_gemm"] < 1
    assert document["machine"]["cores"] >= 1
    assert {"torch", "transformers"} <= set(document["versions"])


@pytest.mark.parametrize(
    "measure",
    [ours.measure, notebook.measure, trainer.measure],
    ids=["ours", "notebook", "Trainer"],
)
def test_an_arm_trains(measure: Measure, job: TrainingJob) -> None:
    with torch.random.fork_rng([]):
        figures = measure(asdict(job))
    assert figures["timed_reviews"] == 16 * figures["timed_steps"] > 0
    assert figures["reviews_per_second"] > 0
    assert 0 < figures["last_loss"] < 10


def test_tfidf_is_fitted(job: TrainingJob) -> None:
    assert tfidf.measure_fit(asdict(job))["fitted_reviews"] == 64


def test_the_formula_counts_what_torch_counts(few: Path) -> None:
    """The heads, a thousandth here, and less in a real encoder, are left out of the formula."""
    config = AutoConfig.from_pretrained(few / "encoder")
    with torch.random.fork_rng([]):
        model = new_model(str(few / "encoder"), "mean", DEFAULT, 0)
    model.set_attn_implementation("eager")
    ids = torch.ones(3, 40, dtype=torch.int64)
    with FlopCounterMode(display=False) as counter:
        output = model(ids, ids)
        (output.sentiment_logits.sum() + output.rating_logits.sum()).backward()
    formula = gemm.training_flops(config, [40, 40, 40])
    assert formula == pytest.approx(counter.get_total_flops(), rel=0.01)


def test_the_pace_leaves_out_the_warm_up_and_what_interrupts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = iter([0.0, 100.0, 200.0, 201.0, 501.0, 502.0])
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    pace = Pace(seconds=2.0)
    assert [pace.step(8, 1.0) for _ in range(4)] == [False] * 4
    pace.interrupt()
    assert [pace.step(8, 0.5) for _ in range(2)] == [False, True]
    figures = pace.figures()
    assert figures["timed_steps"] == 2
    assert figures["reviews_per_second"] == 8.0
    assert figures["last_loss"] < figures["first_loss"] == 1.0


def test_an_unknown_arm_is_refused(benchmark: Benchmark) -> None:
    with pytest.raises(ClassifierError, match=r"--arm theirs: there are ours, cls; ours, mean;"):
        benchmark("training", "--arm", "theirs")


@pytest.mark.parametrize("command", ["training", "serving", "quality", "feedback"])
def test_without_accelerate_it_says_what_to_install(
    benchmark: Benchmark, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setitem(sys.modules, "accelerate", None)
    with pytest.raises(
        ClassifierError, match=r"accelerate among them: pip install .*requirements-dev\.lock"
    ):
        benchmark(command)


def test_it_is_a_command() -> None:
    process = subprocess.run(
        [sys.executable, "-m", "benchmarks", "training", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "--seconds" in process.stdout
