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
from benchmarks.answering import ServingJob
from benchmarks.processes import run, run_arm
from benchmarks.results import Results, attempted, ratio
from benchmarks.show import number, percent, print_table, times
from classifier.data.reviews import Reviews
from classifier.data.splits import stratified_subset
from classifier.data.tokenizer import WordPieces
from classifier.errors import ClassifierError
from classifier.registry.provenance import learnt_by
from classifier.registry.registry import Registry
from classifier.registry.version import Version
from classifier.serving.packed_model import PackedConfig

_LENGTH = 2000  # characters: about the median of the hub's reviews
_SINGLE = 50  # reviews answered one at a time
_FITTED = 2000  # rows for TF-IDF, whose speed hardly depends on more
_ASKED = 20  # reviews sent to the bot

_PIPELINE = (
    'transformers.pipeline("text-classification") twice, once a model, on the same weights: the '
    "classifier in a subclass that returns .logits; as many tokens as ours, from the beginning, "
    "batches of 32, "
)


@dataclass(frozen=True)
class Arm:
    """One of what is compared, by the module that measures it."""

    module: str
    about: str
    bfloat16: bool = False
    keep_freed_pages: bool = False
    max_tokens: int | None = None


ARMS = {
    "ours": Arm(
        "benchmarks.predictors",
        "classifier.serving.predictor.Predictor: both models, sentiment and rating, as many "
        "tokens as the version takes, from both ends, tokenizing and stripping of ratings "
        "included; the command line's malloc settings",
        keep_freed_pages=True,
    ),
    "ours, 256 tokens": Arm(
        "benchmarks.predictors",
        "the same, each review cut to 256 tokens: what models of short texts read",
        keep_freed_pages=True,
        max_tokens=256,
    ),
    "pipeline": Arm("benchmarks.pipelines", f"{_PIPELINE}float32, as it comes"),
    "pipeline, bf16": Arm(
        "benchmarks.pipelines", f"{_PIPELINE}dtype=torch.bfloat16", bfloat16=True
    ),
    "TF-IDF": Arm("benchmarks.words", f"{tfidf.ABOUT}; fitted on {_FITTED} other rows at most"),
}
COLD_START, BOT = "cold start", "bot"


def run_arms(
    console: Console,
    *,
    reviews: str,
    count: int,
    repeats: int,
    version: str,
    models: Path,
    names: list[str],
    path: Path | None,
) -> Results:
    """Every arm once, then every arm again, `repeats` times; each in a process of its own."""
    chosen = Registry(models).get(version)  # first, since it may not be there
    found = rows.read(reviews)
    served, others, learnt = _parts(found, chosen, count)
    results = Results(
        "serving",
        path,
        {
            "repeats": repeats,
            "version": chosen.name,
            "encoder": chosen.training().get("encoder", {}).get("origin"),
            "single": min(_SINGLE, len(served)),
        },
        rows.described(found, served)
        | {"median_tokens": _median_tokens(served, chosen), "trained_on": learnt},
    )
    about = {name: ARMS[name].about for name in names}
    about[COLD_START] = "python -m classifier predict TEXT, from nothing to the answer"
    about[BOT] = f"python -m bot with both models, after {_ASKED} reviews in the local chat"
    with tempfile.TemporaryDirectory() as folder:
        served_file = str(rows.write(Path(folder) / "served.jsonl", served))
        others_file = str(rows.write(Path(folder) / "others.jsonl", others))

        def measure(name: str) -> dict[str, Any]:
            if name == COLD_START:
                return _cold_start(served["text"][0], chosen, models)
            if name == BOT:
                return bot_memory.measure(chosen, list(served["text"][:_ASKED]))
            arm = ARMS[name]
            job = ServingJob(
                str(chosen.path),
                served_file,
                others_file,
                _SINGLE,
                time.time(),
                bfloat16=arm.bfloat16,
                max_tokens=arm.max_tokens,
            )
            return run_arm(arm.module, asdict(job), keep_freed_pages=arm.keep_freed_pages)

        for name, line in about.items():
            results.arm(name, line)
        for repeat in range(repeats):
            for name in about:
                measured = attempted(measure, name)
                results.add(name, measured)
                console.print(f"{repeat + 1}/{repeats} {name}: {_told(measured)}", highlight=False)
    results.finish(summary(results, names))
    return results


def _parts(found: Reviews, version: Version, count: int) -> tuple[Dataset, Dataset, int]:
    """The rows nearest to 2,000 characters, unseen ones first; some others; how many were seen."""
    seen = learnt_by(version, found.rows)
    far = [abs(len(text) - _LENGTH) for text in found.rows["text"]]
    order = sorted(range(len(seen)), key=lambda row: (seen[row], far[row]))
    if len(order) < 2 * count:
        raise ClassifierError(f"{len(order)} usable reviews: --rows can be half of that at most.")
    served, others = found.rows.select(order[:count]), found.rows.select(order[count:])
    return served, stratified_subset(others, _FITTED, 0), sum(seen[row] for row in order[:count])


def _median_tokens(served: Dataset, version: Version) -> float:
    config, word_pieces = PackedConfig.read(version.path / "cls"), WordPieces(version.path / "cls")
    tokens = word_pieces.tokens(list(served["text"]), config.max_tokens, config.head_share)
    return float(np.median(tokens.lengths))


def _cold_start(text: str, version: Version, models: Path) -> dict[str, Any]:
    options = ("--models", str(models), "--version", version.name)
    # After "--": a review may begin with a dash.
    ended = run("-m", "classifier", "predict", *options, "--", text)
    return {"seconds": ended.seconds, "peak_mb": ended.peak_mb}


def _told(measured: dict[str, Any]) -> str:
    if "failed" in measured:
        return f"failed: {measured['failed']}"
    if "resident_mb" in measured:
        return (
            f"{number(measured['resident_mb'])} MB resident, {number(measured['peak_mb'])} at its "
            f"peak, answers in {measured['answer_p50_ms']:.0f} ms"
        )
    if "seconds" in measured:
        return f"{measured['seconds']:.2f} s, peak {number(measured['peak_mb'])} MB"
    return (
        f"p50 {measured['p50_ms']:.1f} ms, p95 {measured['p95_ms']:.1f} ms, "
        f"{measured['reviews_per_second']:.1f} reviews/s, peak {number(measured['peak_mb'])} MB"
    )


def summary(results: Results, names: list[str]) -> dict[str, Any]:
    """The medians of each arm, and how they compare."""
    figures = ("p50_ms", "p95_ms", "reviews_per_second", "first_answer_seconds", "peak_mb")
    arms: dict[str, dict[str, Any]] = {}
    for name in names:
        arms[name] = {figure: results.median(name, figure) for figure in figures}
        runs = results.runs(name)
        arms[name]["accuracy"] = runs[-1]["accuracy"] if runs else {}
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


def show(console: Console, results: Results) -> None:
    """The table of medians, and the processes below it."""
    found, told = results.document["summary"], results.document["rows"]
    lines = [
        [
            name,
            number(arm["p50_ms"], 1),
            number(arm["p95_ms"], 1),
            times(arm.get("ours_sooner")),
            number(arm["reviews_per_second"], 1),
            times(arm.get("ours_faster")),
            number(arm["peak_mb"]),
            " / ".join(percent(value) for value in arm["accuracy"].values()),
        ]
        for name, arm in found["arms"].items()
    ]
    columns = ["arm", "p50 ms", "p95 ms", "ours sooner", "reviews/s", "ours faster", "peak MB"]
    title = (
        f"Serving, medians of {results.document['settings']['repeats']}; {told['rows']} reviews of "
        f"{told['median_characters']:,} characters, {told['median_tokens']:.0f} tokens"
    )
    print_table(console, title, [*columns, "accuracy"], lines)
    console.print(
        f"Cold start of `predict`: {number(found['cold_start_seconds'], 2)} s. "
        f"The bot: {number(found['bot_resident_mb'])} MB resident, "
        f"{number(found['bot_peak_mb'])} at its peak, "
        f"answers in {number(found['bot_answer_p50_ms'])} ms.",
        highlight=False,
    )
    if told["trained_on"]:
        console.print(f"{told['trained_on']} of the reviews were trained on: accuracy flatters.")
