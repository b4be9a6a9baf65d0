"""`quality`: how right each arm is, trained on the same rows and judged on the same others.

Every arm of a seed is stored in the work folder as soon as it is done: the same command again
continues an interrupted run.
"""

import hashlib
import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from datasets import concatenate_datasets
from rich.console import Console

from benchmarks import rows, tfidf
from benchmarks.processes import Arm, run, run_arm
from benchmarks.results import Results, Run, line_of
from classifier.data.holdout import separate
from classifier.data.reviews import Reviews, load_reviews
from classifier.data.splits import Parts, split_reviews
from classifier.errors import ClassifierError
from classifier.files import write_json
from classifier.modeling.pooling import POOLINGS
from classifier.registry.registry import Registry
from classifier.training.recipe import DEFAULT, NOTEBOOK

OURS, NOTEBOOKS, TFIDF = "ours", "notebook", "TF-IDF"
ARMS = {
    OURS: "python -m classifier train, its default recipe",
    NOTEBOOKS: "python -m classifier train --recipe notebook",
    TFIDF: f"{tfidf.ABOUT}; on the rows that ours trains and validates on",
}
USUAL = [OURS, TFIDF]  # the notebook's recipe takes hours
_RECIPES = {OURS: DEFAULT, NOTEBOOKS: NOTEBOOK}
_FIGURES = ("accuracy", "macro_f1", "weighted_f1", "rating_mae")


@dataclass(frozen=True)
class Plan:
    """What is trained on what; everything that a stored result depends on but the code."""

    reviews: str  # a source
    test: str | None  # another, or None for the split's own holdout
    seeds: int
    encoder: str  # a hub id or a folder
    options: tuple[str, ...]  # more for `python -m classifier train`
    cache: Path
    work: Path


def run_arms(console: Console, plan: Plan, names: list[str], path: Path | None) -> Results:
    """Seed by seed, every arm."""
    reviews = load_reviews(plan.reviews)
    test = load_reviews(plan.test) if plan.test else None
    to_train, holdout = reviews.rows, None
    if test:
        to_train, holdout = separate(reviews, test, "random").rest.rows, test.rows
    settings = {
        "seeds": plan.seeds,
        "encoder": None,
        "recipes": {name: asdict(recipe) for name, recipe in _RECIPES.items()},
        "options": list(plan.options),
        "written_ratings": "stripped",
        "test": rows.described(test, test.rows) if test else "the holdout of each seed's split",
    }
    arms = {line: ARMS[name] for name in names for line in _lines(name)}
    described = rows.described(reviews, to_train)
    results = Results(path, name="quality", arms=arms, settings=settings, rows=described)
    plan.work.mkdir(parents=True, exist_ok=True)
    for seed in range(plan.seeds):
        parts = split_reviews(to_train, by="random", seed=seed, holdout=holdout)
        for name in names:
            if name == TFIDF and test and seed:
                continue  # it has no randomness, and the rows are the same
            console.print(f"seed {seed}, {name}:", highlight=False)
            place = plan.work / f"{_key(plan, reviews, test, name)}-{seed}"
            measured = _stored_or_measured(name, place, seed, plan, parts)
            for line, figures in measured["arms"].items():
                results.add(line, {"seed": seed, **figures})
                console.print(f"  {line}: {line_of(figures)}", highlight=False)
            if measured.get("encoder"):
                settings["encoder"] = measured["encoder"]
    results.finish(summary(results))
    return results


def _lines(name: str) -> list[str]:
    """An arm's lines in the table: training gives one for each pooling."""
    return [f"{name}, {pooling}" for pooling in POOLINGS] if name in _RECIPES else [name]


def _key(plan: Plan, reviews: Reviews, test: Reviews | None, name: str) -> str:
    """The name of a stored result; it differs where anything differs that the result depends on."""
    recipe = asdict(_RECIPES[name]) if name in _RECIPES else {}
    parts = [reviews.fingerprint, test.fingerprint if test else "", recipe]
    parts += [plan.encoder, plan.options, tfidf.ABOUT]
    if test:  # tells them from results of a time when ours held out a tenth besides the test rows
        parts.append("--holdout")
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]
    return f"{name}-{digest}"


def _stored_or_measured(
    name: str, place: Path, seed: int, plan: Plan, parts: Parts
) -> dict[str, Any]:
    """The result of an earlier run of the same, or a new one; a failure is not stored."""
    file = place.with_suffix(".json")
    if file.exists():
        stored: dict[str, Any] = json.loads(file.read_bytes())
        return stored
    try:
        if name in _RECIPES:
            measured = _train(name, place, seed, plan, parts)
        else:
            measured = {"arms": {name: _fit_tfidf(parts)}}
    except ClassifierError as error:  # the other arms' figures are worth having
        return {"arms": {line: {"failed": str(error)} for line in _lines(name)}}
    write_json(file, measured)
    return measured


def _fit_tfidf(parts: Parts) -> Run:
    to_fit = concatenate_datasets([parts.train, parts.validation])
    with tempfile.TemporaryDirectory() as folder:
        files = {
            "rows": rows.write(Path(folder) / "train.jsonl", to_fit),
            "test": rows.write(Path(folder) / "test.jsonl", parts.holdout),
        }
        return run_arm(Arm("benchmarks.tfidf.measure_quality", ARMS[TFIDF]), files)


def _train(name: str, place: Path, seed: int, plan: Plan, parts: Parts) -> dict[str, Any]:
    """Train by the command line, unless the version is there already; its figures."""
    ended = None
    if not Registry(place).versions():
        ended = run(
            *("-m", "classifier", "train", "--resume", "--reviews", plan.reviews),
            *("--models", str(place), "--cache", str(plan.cache)),
            *("--encoder", plan.encoder, "--seed", str(seed), *plan.options),
            *(("--holdout", plan.test) if plan.test else ()),
            *("--recipe", "notebook" if name == NOTEBOOKS else "default"),
            show_output=True,  # it takes minutes
        )
    version = Registry(place).versions()[-1]
    ids = parts.ids()
    if version.split() != ids:
        raise ClassifierError(f"{version.path} was trained on other rows than the split's.")
    metrics, training = version.metrics(), version.training()
    # One pooling alone would need the encoder's adaptation as well.
    adaptation = float(sum(epoch["seconds"] for epoch in training["adaptation"]))
    lines: dict[str, Run] = {
        f"{name}, {pooling}": {
            **{figure: metrics[pooling].get(figure) for figure in _FIGURES},
            "train_seconds": training["seconds"][pooling] + adaptation,
            # Of the whole command: both poolings, reading and the report included.
            "command_seconds": ended.seconds if ended else None,
            "peak_mb": ended.peak_mb if ended else None,
            "trained_on": len(ids["train"]) + len(ids["validation"]),
            "test_rows": metrics[pooling]["rows"],
        }
        for pooling in POOLINGS
    }
    return {"arms": lines, "encoder": training["encoder"]["origin"]}


def summary(results: Results) -> dict[str, Any]:
    """Mean and range over the seeds of each arm's figures."""
    arms: dict[str, dict[str, Any]] = {}
    for name in results.document["arms"]:
        runs = results.runs(name)
        arms[name] = {"seeds": len(runs)}
        for figure in (*_FIGURES, "train_seconds", "peak_mb"):
            values = [run[figure] for run in runs if run.get(figure) is not None]
            arms[name][figure] = _mean_and_range(values) if values else None
    return {"arms": arms}


def _mean_and_range(values: list[float]) -> dict[str, float]:
    return {"mean": sum(values) / len(values), "low": min(values), "high": max(values)}
