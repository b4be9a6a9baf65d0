"""`training`: how fast each arm trains, on the same rows, in turns."""

import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from transformers import AutoConfig

from benchmarks import gemm, rows, tfidf
from benchmarks.pace import TrainingJob
from benchmarks.processes import Arm, run_arm
from benchmarks.results import Results, Run
from benchmarks.tables import ratio
from classifier.data.reviews import load_reviews
from classifier.data.tokenizer import load_tokenizer, tokenize
from classifier.modeling.encoders import find_encoder
from classifier.training.recipe import DEFAULT, NOTEBOOK

_OURS = "python -m classifier train's own loop, its malloc settings included"
_TRAINER = (
    "transformers.Trainer on our model and loss: group_by_length, adamw_torch_fused, bf16 where "
    f"the CPU has it, {DEFAULT.max_tokens} tokens, no dropout in the attention, attention kernel "
)
_SECONDS = ("tokenizing_seconds", "fit_seconds")
_FIGURES = ("reviews_per_second", "peak_mb", *_SECONDS, "first_loss", "last_loss")
_FLOPS = (
    "the model's matrix products, forward and backward, without padding; ours reads a window of "
    "each review a step"
)

OURS = ("ours, cls", "ours, mean")
YIELDING = "ours, mean, yielding"
_TRAINERS = ("Trainer, sdpa", "Trainer, eager", "Trainer, our malloc")
ARMS = {
    "ours, cls": Arm("benchmarks.ours.measure", _OURS, {"pooling": "cls"}, keep_freed_pages=True),
    "ours, mean": Arm("benchmarks.ours.measure", _OURS, {"pooling": "mean"}, keep_freed_pages=True),
    YIELDING: Arm(
        "benchmarks.ours.measure",
        f"{_OURS}; OMP_WAIT_POLICY=PASSIVE, as beside a bot: waiting threads give their core away",
        {"pooling": "mean"},
        keep_freed_pages=True,
        environment={"OMP_WAIT_POLICY": "PASSIVE"},
    ),
    "notebook": Arm(
        "benchmarks.notebook.measure",
        "the reference notebook's recipe: 512 tokens padded, float32, AdamW; CLS pooling",
    ),
    "Trainer, sdpa": Arm("benchmarks.trainer.measure", f"{_TRAINER}sdpa", {"attention": "sdpa"}),
    "Trainer, eager": Arm("benchmarks.trainer.measure", f"{_TRAINER}eager", {"attention": "eager"}),
    "Trainer, our malloc": Arm(
        "benchmarks.trainer.measure",
        f"{_TRAINER}eager; and with the malloc settings of ours",
        {"attention": "eager"},
        keep_freed_pages=True,
    ),
    "TF-IDF": Arm("benchmarks.tfidf.measure_fit", tfidf.ABOUT),
    "GEMM": Arm("benchmarks.gemm.measure", "matrix products alone: what the machine can do"),
}


@dataclass(frozen=True)
class Plan:
    """What is trained on, and for how long."""

    reviews: str  # a source
    rows: int  # at most
    repeats: int
    seconds: float  # of timed steps in a turn
    encoder: str  # a hub id or a folder
    cache: Path


def run_arms(console: Console, plan: Plan, names: list[str], path: Path) -> Results:
    """Every arm once, then every arm again, `repeats` times; each in a process of its own."""
    encoder = find_encoder(plan.encoder, plan.cache)
    reviews = load_reviews(plan.reviews)
    chosen = rows.subset(reviews.rows, plan.rows)
    texts, tokenizer = list(chosen["text"]), load_tokenizer(encoder.folder)
    tokens = tokenize(texts, tokenizer, DEFAULT.max_tokens, DEFAULT.head_share)
    config, lengths = AutoConfig.from_pretrained(encoder.folder), tokens.lengths
    flops = {
        name: gemm.training_flops(config, read.tolist()) / len(chosen)
        for name, read in (
            ("ours", np.minimum(lengths, DEFAULT.window)),
            ("notebook", np.minimum(lengths, NOTEBOOK.max_tokens)),
            ("others", lengths),
        )
    }
    settings: dict[str, Any] = {"repeats": plan.repeats, "seconds": plan.seconds}
    settings |= {name: getattr(DEFAULT, name) for name in ("batch_size", "max_tokens", "window")}
    settings |= {"encoder": encoder.origin, "flops_per_review": flops, "flops": _FLOPS}
    described = rows.described(reviews, chosen) | {"mean_tokens": float(lengths.mean())}
    arms = {name: ARMS[name].about for name in names}
    results = Results(path, name="training", arms=arms, settings=settings, rows=described)
    with tempfile.TemporaryDirectory() as folder:
        file = rows.write(Path(folder) / "rows.jsonl", chosen)

        def measure(name: str, repeat: int) -> Run:
            job = TrainingJob(file, str(encoder.folder), str(plan.cache), plan.seconds, repeat)
            return run_arm(ARMS[name], asdict(job))

        results.take_turns(console, measure)
    results.finish(summary(results, flops))
    return results


def summary(results: Results, flops: dict[str, float]) -> dict[str, Any]:
    """The medians of each arm, and how they compare."""
    square = results.median("GEMM", "square_gflops")
    layers = results.median("GEMM", "layers_gflops")
    arms: dict[str, dict[str, float | None]] = {}
    for name in results.document["arms"]:
        arm = arms[name] = {figure: results.median(name, figure) for figure in _FIGURES}
        speed = arm["reviews_per_second"]
        if speed is not None:
            usual = flops["ours" if name in (*OURS, YIELDING) else "others"]
            rate = speed * flops.get(name, usual) / 1e9
            arm |= {"gflops": rate, "share_of_gemm": ratio(rate, square)}
            arm["share_of_layers_gemm"] = ratio(rate, layers)
    speeds = {name: arm["reviews_per_second"] for name, arm in arms.items()}
    trainers = [speeds.get(name) for name in _TRAINERS]
    trainer = max((speed for speed in trainers if speed is not None), default=None)
    ours = _ours(speeds)
    return {
        "arms": arms,
        "gemm": {"square_gflops": square, "layers_gflops": layers},
        "ours_reviews_per_second": ours,
        "trainer_reviews_per_second": trainer,
        "ours_to_notebook": ratio(ours, speeds.get("notebook")),
        "ours_to_trainer": ratio(ours, trainer),
    }


def _ours(speeds: dict[str, float | None]) -> float | None:
    """Reviews a second through the training of both poolings, where both were measured."""
    seconds = [ratio(1.0, speeds.get(name)) for name in OURS]
    known = [value for value in seconds if value is not None]
    return len(OURS) / sum(known) if len(known) == len(OURS) else None
