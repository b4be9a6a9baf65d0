"""`serving`: how fast and how big the models are in use, each arm on the same texts, in turns."""

import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset
from rich.console import Console

from benchmarks import bot_memory, rows, tfidf
from benchmarks.answering import CALIBRATING, ServingJob
from benchmarks.processes import Arm, run, run_arm
from benchmarks.results import Results, Run
from benchmarks.tables import ratio
from classifier.data.reviews import Reviews, load_reviews
from classifier.data.splits import stratified_subset
from classifier.data.tokenizer import FastTokenizer
from classifier.errors import ClassifierError
from classifier.registry.provenance import learnt_by
from classifier.registry.registry import Registry
from classifier.registry.version import Version
from classifier.serving.packed_config import ServedConfig

_LENGTH = 2000  # characters: about the median of the hub's reviews
_SINGLE = 50  # reviews answered one at a time
_FITTED = 2000  # rows for TF-IDF, whose speed hardly depends on more
_SENT = 20  # reviews sent to the bot
_FIGURES = ("p50_ms", "p95_ms", "cpu_ms", "reviews_per_second", "first_answer_seconds", "peak_mb")

_PIPELINE = (
    'transformers.pipeline("text-classification") twice, once a model, on the same weights: the '
    "model folder's own code; as many tokens as ours, from both ends too, batches of 32, "
)
_EXPORTED = (
    "the models as python -m classifier export writes them, both at once, each with half of the "
    "threads, tokens as ours, in batches of like length; "
)
_CALIBRATED = f"calibrated on {CALIBRATING} reviews that are not answered"
ARMS = {
    "ours": Arm(
        "benchmarks.answering.measure",
        "classifier.serving.predictor.Predictor: both models, sentiment and rating, as many "
        "tokens as the version takes, from both ends, tokenizing and stripping of ratings "
        "included; the command line's malloc settings",
        keep_freed_pages=True,
    ),
    "ours, 256 tokens": Arm(
        "benchmarks.answering.measure",
        "the same, each review cut to 256 tokens: what models of short texts read",
        {"max_tokens": 256},
        keep_freed_pages=True,
    ),
    "pipeline": Arm("benchmarks.pipelines.measure", f"{_PIPELINE}float32, as it comes"),
    "pipeline, bf16": Arm(
        "benchmarks.pipelines.measure", f"{_PIPELINE}dtype=torch.bfloat16", {"bfloat16": True}
    ),
    **{
        f"ONNX Runtime, {name}": Arm(
            "benchmarks.exported.measure_onnxruntime",
            f"{_EXPORTED}onnxruntime; {about}",
            {"form": form},
            needs=("onnx", "onnxruntime", "onnxscript"),
        )
        for name, form, about in (
            ("float32", "float32", "as it comes"),
            ("dynamic int8", "dynamic", "quantize_dynamic, a scale for each column"),
            ("static int8", "static", f"quantize_static, QDQ, {_CALIBRATED}"),
            ("int8 blocks", "blocks", "MatMulNBits, as export --int8 writes it"),
        )
    },
    **{
        f"OpenVINO{name}": Arm(
            "benchmarks.exported.measure_openvino",
            f"{_EXPORTED}openvino; {about}",
            {"form": form},
            needs=("onnx", "onnxruntime", "onnxscript", "openvino"),
        )
        for name, form, about in (
            ("", "float32", "in bfloat16 where ours is, else float32"),
            (", static int8", "static", f"of ONNX Runtime's QDQ model, {_CALIBRATED}"),
        )
    },
    "torch.compile": Arm(
        "benchmarks.compiled.measure",
        "the trained modules, their encoders compiled with dynamic shapes; tokens and threads as "
        "ours, in bfloat16 where ours is; the command line's malloc settings",
        keep_freed_pages=True,
    ),
    "TF-IDF": Arm(
        "benchmarks.tfidf.measure_answers", f"{tfidf.ABOUT}; fitted on {_FITTED} other rows at most"
    ),
}
COLD_START, BOT = "cold start", "bot"
_ABOUT_PROCESSES = {
    COLD_START: "python -m classifier predict TEXT, from nothing to the answer",
    BOT: f"python -m bot with both models, after {_SENT} reviews in the local chat",
}


@dataclass(frozen=True)
class Plan:
    """What answers what."""

    reviews: str  # a source
    rows: int  # how many reviews are answered
    repeats: int
    version: str  # a name in the registry
    models: Path


def run_arms(console: Console, plan: Plan, names: list[str], path: Path) -> Results:
    """Every arm once, then every arm again, `repeats` times; each in a process of its own.

    The cold start and the bot are measured too, whichever arms are named.
    """
    version = Registry(plan.models).get(plan.version)  # first, since it may not be there
    reviews = load_reviews(plan.reviews)
    served, others, seen = _parts(reviews, version, plan.rows)
    names = measurable(console, names)
    settings = {
        "repeats": plan.repeats,
        "version": version.name,
        "encoder": version.training().get("encoder", {}).get("origin"),
        "single": min(_SINGLE, len(served)),
    }
    described = rows.described(reviews, served)
    described |= {"median_tokens": _median_tokens(served, version), "trained_on": seen}
    arms = {name: ARMS[name].about for name in names} | _ABOUT_PROCESSES
    results = Results(path, name="serving", arms=arms, settings=settings, rows=described)
    with tempfile.TemporaryDirectory() as folder:
        served_file = rows.write(Path(folder) / "served.jsonl", served)
        others_file = rows.write(Path(folder) / "others.jsonl", others)

        def measure(name: str, _: int) -> Run:
            if name == COLD_START:
                return _cold_start(served["text"][0], version, plan.models)
            if name == BOT:
                return bot_memory.measure(version, list(served["text"][:_SENT]))
            job = ServingJob(str(version.path), served_file, others_file, _SINGLE, 0.0, folder)
            if form := ARMS[name].job.get("form"):
                run_arm(Arm("benchmarks.exported.make", "the files"), asdict(job) | {"form": form})
            return run_arm(ARMS[name], asdict(job) | {"began": time.time()})

        results.take_turns(console, measure)
    results.finish(summary(results, names))
    return results


def measurable(console: Console, names: list[str]) -> list[str]:
    """The arms whose libraries are installed; a line says of each other one what it needs."""
    missing = {name: ARMS[name].lacks() for name in names}
    for name, library in missing.items():
        if library:
            console.print(f"{name} is left out: pip install {library}", highlight=False)
    return [name for name in names if missing[name] is None]


def _parts(reviews: Reviews, version: Version, count: int) -> tuple[Dataset, Dataset, int]:
    """The rows to answer, others to fit TF-IDF on, and how many of the former were trained on.

    The rows to answer are the nearest to 2,000 characters, those not trained on before the others.
    """
    seen = learnt_by(version, reviews.rows)
    distance = [abs(len(text) - _LENGTH) for text in reviews.rows["text"]]
    order = sorted(range(len(seen)), key=lambda row: (seen[row], distance[row]))
    if len(order) < 2 * count:
        raise ClassifierError(f"{len(order)} usable reviews: --rows can be half of that at most.")
    served, others = reviews.rows.select(order[:count]), reviews.rows.select(order[count:])
    return served, stratified_subset(others, _FITTED, 0), sum(seen[row] for row in order[:count])


def _median_tokens(served: Dataset, version: Version) -> float:
    config, tokenizer = ServedConfig.read(version.path / "cls"), FastTokenizer(version.path / "cls")
    tokens = tokenizer.tokens(list(served["text"]), config.max_tokens, config.head_share)
    return float(np.median(tokens.lengths))


def _cold_start(text: str, version: Version, models: Path) -> Run:
    options = ("--models", str(models), "--version", version.name)
    # After "--": a review may begin with a dash.
    ended = run("-m", "classifier", "predict", *options, "--", text)
    return {"seconds": ended.seconds, "peak_mb": ended.peak_mb}


def summary(results: Results, names: list[str]) -> dict[str, Any]:
    """The medians of each arm, and how they compare."""
    arms: dict[str, dict[str, Any]] = {}
    for name in names:
        arms[name] = {figure: results.median(name, figure) for figure in _FIGURES}
        runs = results.runs(name)
        arms[name]["accuracy"] = runs[-1]["accuracy"] if runs else {}
        arms[name]["rating_mae"] = runs[-1]["rating_mae"] if runs else {}
    for name, arm in arms.items():
        if "ours" in arms and name != "ours":
            ours = arms["ours"]
            arm["ours_sooner"] = ratio(arm["p50_ms"], ours["p50_ms"])
            arm["ours_faster"] = ratio(ours["reviews_per_second"], arm["reviews_per_second"])
    return {
        "arms": arms,
        "cold_start_seconds": results.median(COLD_START, "seconds"),
        "bot_resident_mb": results.median(BOT, "resident_mb"),
        "bot_peak_mb": results.median(BOT, "peak_mb"),
        "bot_answer_p50_ms": results.median(BOT, "answer_p50_ms"),
    }
