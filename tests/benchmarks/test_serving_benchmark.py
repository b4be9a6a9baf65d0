"""`python -m benchmarks serving`, and each of its arms."""

import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks import answering, compiled, exported, pipelines, rows, serving, tfidf
from benchmarks.answering import ServingJob
from classifier.data.reviews import load_reviews
from classifier.data.tokens import Tokens
from classifier.errors import ClassifierError
from classifier.modeling.outputs import Outputs
from classifier.registry.registry import Registry
from classifier.serving.packed_model import PackedModel
from tests.benchmarks.conftest import Benchmark, Measure


@pytest.fixture
def job(few: Path, tmp_path: Path) -> ServingJob:
    found = load_reviews(str(few / "reviews.jsonl")).rows
    served = rows.write(tmp_path / "served.jsonl", found.select(range(16)))
    others = rows.write(tmp_path / "others.jsonl", found.select(range(16, 80)))
    version = Registry(few / "models").get("champion").path
    return ServingJob(str(version), served, others, 4, time.time())


@pytest.mark.slow
def test_it_times_answers_the_cold_start_and_the_bot(benchmark: Benchmark, few: Path) -> None:
    document = benchmark(
        *("serving", "--repeats", "1", "--rows", "8", "--models", f"{few}/models"),
        *("--arm", "ours"),
    )
    summary = document["summary"]
    assert summary["arms"]["ours"]["p95_ms"] >= summary["arms"]["ours"]["p50_ms"] > 0
    assert set(summary["arms"]["ours"]["accuracy"]) == {"cls", "mean"}
    assert summary["cold_start_seconds"] > 0.5
    assert summary["bot_peak_mb"] >= summary["bot_resident_mb"] > 100
    assert document["arms"]["bot"]["runs"][0]["reviews"] == 8
    assert document["rows"]["rows"] == 8


@pytest.mark.parametrize(
    ("measure", "models"),
    [
        (answering.measure, {"cls", "mean"}),
        (pipelines.measure, {"cls", "mean"}),
        (tfidf.measure_answers, {"tfidf"}),
    ],
    ids=["ours", "pipeline", "TF-IDF"],
)
def test_an_arm_answers(measure: Measure, models: set[str], job: ServingJob) -> None:
    figures = measure(asdict(job))
    assert set(figures["accuracy"]) == models
    assert figures["reviews_per_second"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("form", ["float32", "blocks", "dynamic", "static"])
def test_an_exported_model_answers_as_ours_does(form: str, job: ServingJob, tmp_path: Path) -> None:
    """An untrained model is sure of nothing, so that int8 may answer anything."""
    values = asdict(replace(job, exported=str(tmp_path), form=form))
    exported.make(values)
    figures = exported.measure_onnxruntime(values)
    assert figures["reviews_per_second"] > 0
    assert set(figures["rating_mae"]) == {"cls", "mean"}
    if form == "float32":
        ours = answering.measure(asdict(job))
        assert figures["accuracy"] == ours["accuracy"]
        assert figures["rating_mae"] == ours["rating_mae"]


@pytest.mark.slow
def test_compiled_modules_answer_as_ours_do(job: ServingJob) -> None:
    figures = compiled.measure(asdict(job))
    ours = answering.measure(asdict(job))
    assert figures["accuracy"] == ours["accuracy"]


def test_an_arm_without_its_library_is_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arm = replace(serving.ARMS["OpenVINO"], needs=("json", "openvino_of_nowhere"))
    monkeypatch.setitem(serving.ARMS, "OpenVINO", arm)
    names = serving.measurable(Console(), ["ours", "OpenVINO"])
    assert names == ["ours"]
    assert "OpenVINO is left out: pip install openvino_of_nowhere" in capsys.readouterr().out


def test_an_arm_reads_as_few_tokens_as_it_is_told(
    job: ServingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []

    def noting(model: PackedModel, tokens: Tokens, batch: range) -> Outputs:
        read.extend(tokens.lengths[batch.start : batch.stop].tolist())
        return predict_batch(model, tokens, batch)

    predict_batch = PackedModel.predict_batch
    monkeypatch.setattr(PackedModel, "predict_batch", noting)
    answering.measure(asdict(job))
    longest = max(read)
    read.clear()
    answering.measure(asdict(replace(job, max_tokens=8)))
    assert max(read) == 8 < longest


def test_without_a_version_it_says_what_to_do(benchmark: Benchmark, tmp_path: Path) -> None:
    with pytest.raises(ClassifierError, match="has no champion yet: train"):
        benchmark("serving", "--models", str(tmp_path))
