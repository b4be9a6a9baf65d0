"""`training`: how fast each arm trains, on the same rows, in turns."""

import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from transformers import AutoConfig

from benchmarks import gemm, rows, tfidf
from benchmarks.pace import TrainingJob
from benchmarks.processes import run_arm
from benchmarks.results import Results, attempted, ratio, total
from benchmarks.show import adapted, number, percent, print_table, times
from classifier.data.tokens import load_tokenizer, tokenize
from classifier.modeling.encoders import Encoder
from classifier.training.recipe import DEFAULT

_TRAINER = (
    "transformers.Trainer on our model and loss: group_by_length, adamw_torch_fused, bf16 where "
    f"the CPU has it, {DEFAULT.max_tokens} tokens, no dropout in the attention, attention kernel "
)


@dataclass(frozen=True)
class Arm:
    """One of what is compared; `job` are the fields of its job that are its own."""

    module: str
    about: str
    job: dict[str, str] = field(default_factory=dict)
    keep_freed_pages: bool = False  # ours sets malloc so; see classifier/memory.py


_OURS = "python -m classifier train's own loop, its malloc settings included"
ARMS = {
    "ours, cls": Arm("benchmarks.ours", _OURS, {"pooling": "cls"}, keep_freed_pages=True),
    "ours, mean": Arm("benchmarks.ours", _OURS, {"pooling": "mean"}, keep_freed_pages=True),
    "ours, adapting": Arm(
        "benchmarks.adapting",
        f"{_OURS}: the encoder's masked words, once for both poolings",
        keep_freed_pages=True,
    ),
    "notebook": Arm(
        "benchmarks.notebook",
        "the reference notebook's recipe: 512 tokens padded, float32, AdamW; CLS pooling",
    ),
    "Trainer, sdpa": Arm("benchmarks.trainer", f"{_TRAINER}sdpa", {"attention": "sdpa"}),
    "Trainer, eager": Arm("benchmarks.trainer", f"{_TRAINER}eager", {"attention": "eager"}),
    "Trainer, our malloc": Arm(
        "benchmarks.trainer",
        f"{_TRAINER}eager; and with the malloc settings of ours",
        {"attention": "eager"},
        keep_freed_pages=True,
    ),
    "TF-IDF": Arm("benchmarks.tfidf", tfidf.ABOUT),
    "GEMM": Arm("benchmarks.gemm", "matrix products alone: what the machine can do"),
}
OURS = ("ours, cls", "ours, mean")
ADAPTING = "ours, adapting"
_STOCK_TRAINERS = ("Trainer, sdpa", "Trainer, eager")


def run_arms(
    console: Console,
    *,
    reviews: str,
    limit: int,
    repeats: int,
    seconds: float,
    encoder: Encoder,
    cache: Path,
    names: list[str],
    path: Path | None,
) -> Results:
    """Every arm once, then every arm again, `repeats` times; each in a process of its own."""
    found = rows.read(reviews)
    chosen = rows.some(found.rows, limit)
    tokens = tokenize(
        list(chosen["text"]), load_tokenizer(encoder.folder), DEFAULT.max_tokens, DEFAULT.head_share
    )
    config = AutoConfig.from_pretrained(encoder.folder)
    lengths = tokens.lengths
    flops = {
        name: gemm.training_flops(config, read.tolist()) / len(chosen)
        for name, read in (("ours", np.minimum(lengths, DEFAULT.window)), ("others", lengths))
    }
    results = Results(
        "training",
        path,
        {
            "repeats": repeats,
            "seconds": seconds,
            "encoder": encoder.origin,
            "batch_size": DEFAULT.batch_size,
            "max_tokens": DEFAULT.max_tokens,
            "flops_per_review": flops,
            "window": DEFAULT.window,
            "flops": "the model's matrix products, forward and backward, without padding; ours "
            "reads a window of each review a step; the guessing of masked words is not counted",
        },
        rows.described(found, chosen) | {"mean_tokens": float(lengths.mean())},
    )
    for name in names:
        results.arm(name, ARMS[name].about)
    with tempfile.TemporaryDirectory() as folder:
        file = str(rows.write(Path(folder) / "rows.jsonl", chosen))
        for repeat in range(repeats):
            for name in names:
                arm = ARMS[name]
                job = TrainingJob(file, str(encoder.folder), str(cache), seconds, repeat, **arm.job)
                measured = attempted(
                    run_arm, arm.module, asdict(job), keep_freed_pages=arm.keep_freed_pages
                )
                results.add(name, measured)
                console.print(f"{repeat + 1}/{repeats} {name}: {_told(measured)}", highlight=False)
    results.finish(summary(results, flops))
    return results


def _told(measured: dict[str, Any]) -> str:
    if "failed" in measured:
        return f"failed: {measured['failed']}"
    if "square_gflops" in measured:
        return (
            f"{measured['square_gflops']:,.0f} GFLOP/s in {measured['arithmetic']}, "
            f"{measured['layers_gflops']:,.0f} in the layers' shapes"
        )
    if "fit_seconds" in measured:
        return f"{measured['fit_seconds']:.1f} s for all {measured['fitted_reviews']:,}"
    return (
        f"{measured['reviews_per_second']:.1f} reviews/s over {measured['timed_steps']} steps, "
        f"loss {measured['first_loss']:.2f} → {measured['last_loss']:.2f}, "
        f"peak {number(measured['peak_mb'])} MB"
    )


def summary(results: Results, flops: dict[str, float]) -> dict[str, Any]:
    """The medians of each arm, and how they compare."""
    square = results.median("GEMM", "square_gflops")
    layers = results.median("GEMM", "layers_gflops")
    arms: dict[str, dict[str, float | None]] = {}
    for name in results.document["arms"]:
        speed = results.median(name, "reviews_per_second")
        arms[name] = {
            "reviews_per_second": speed,
            "peak_mb": results.median(name, "peak_mb"),
            "tokenizing_seconds": results.median(name, "tokenizing_seconds"),
            "first_loss": results.median(name, "first_loss"),
            "last_loss": results.median(name, "last_loss"),
            "fit_seconds": results.median(name, "fit_seconds"),
        }
        if speed is not None and arms[name]["last_loss"] is not None:
            rate = speed * flops["ours" if name in (*OURS, ADAPTING) else "others"] / 1e9
            arms[name] |= {
                "gflops": rate,
                "share_of_gemm": ratio(rate, square),
                "share_of_layers_gemm": ratio(rate, layers),
            }
    ours = _ours(results)
    trainers = [results.median(name, "reviews_per_second") for name in _STOCK_TRAINERS]
    trainer = max((speed for speed in trainers if speed is not None), default=None)
    notebook = results.median("notebook", "reviews_per_second")
    return {
        "arms": arms,
        "gemm": {"square_gflops": square, "layers_gflops": layers},
        "ours_reviews_per_second": ours,
        "trainer_reviews_per_second": trainer,
        "ours_to_notebook": ratio(ours, notebook),
        "ours_to_trainer": ratio(ours, trainer),
    }


def _ours(results: Results) -> float | None:
    """Reviews a second through the whole training of both poolings.

    Each epoch of each pooling counts; those of the adaptation, where it was measured, take time.
    """
    epochs = dict.fromkeys(OURS, DEFAULT.epochs)
    if ADAPTING in results.document["arms"]:
        epochs[ADAPTING] = DEFAULT.adaptation_epochs
    measured = {name: results.median(name, "reviews_per_second") for name in epochs}
    seconds = total(ratio(count, measured[name]) for name, count in epochs.items() if count)
    return ratio(DEFAULT.epochs * len(OURS), seconds)


def show(console: Console, results: Results) -> None:
    """The table of medians, and the ratios below it."""
    found = results.document["summary"]
    notebook = results.median("notebook", "reviews_per_second")
    lines = [
        [
            name,
            number(arm["reviews_per_second"], 1),
            times(ratio(arm["reviews_per_second"], notebook)),
            percent(arm.get("share_of_gemm")),
            percent(arm.get("share_of_layers_gemm")),
            f"{number(arm['first_loss'], 2)} → {number(arm['last_loss'], 2)}",
            number(arm["peak_mb"]),
        ]
        for name, arm in found["arms"].items()
        if arm["reviews_per_second"] is not None
    ]
    columns = ["arm", "reviews/s", "to notebook", "of GEMM", "of layers' GEMM", "loss", "peak MB"]
    print_table(console, f"Training, medians of {results.document['settings']['repeats']}",
                columns, lines)  # fmt: skip
    gemms = found["gemm"]
    console.print(
        f"GEMM: {number(gemms['square_gflops'])} GFLOP/s square, "
        f"{number(gemms['layers_gflops'])} in the layers' shapes "
        f"({results.document['machine']['arithmetic']}). "
        f"TF-IDF: {number(results.median('TF-IDF', 'fit_seconds'), 1)} s for all rows.\n"
        f"Ours, both poolings{adapted(found)}: "
        f"{times(found['ours_to_notebook'])} the notebook, "
        f"{times(found['ours_to_trainer'])} the Trainer at its faster.",
        highlight=False,
    )
