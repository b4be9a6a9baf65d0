"""`quality`: how right each arm is, trained on the same rows and judged on the same others.

Every arm of a seed is stored in the work folder as soon as it is done: the same command again
continues an interrupted run.
"""

import hashlib
import json
import re
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from datasets import concatenate_datasets
from rich.console import Console

from benchmarks import RESULTS, rows, tfidf
from benchmarks.processes import Arm, run, run_arm
from benchmarks.results import Results, Run, line_of
from classifier.data.holdout import separate
from classifier.data.reviews import Reviews, load_reviews
from classifier.data.splits import By, Parts, split_reviews
from classifier.errors import ClassifierError
from classifier.evaluation.metrics import Metrics, figures_of_answers
from classifier.files import write_json
from classifier.labels import NO_RATING
from classifier.modeling.encoders import find_encoder
from classifier.modeling.outputs import Answers, labels_of
from classifier.modeling.pooling import POOLINGS
from classifier.registry.registry import Registry
from classifier.training.recipe import DEFAULT, NOTEBOOK

OURS, NOTEBOOKS, TFIDF, BALANCED = "ours", "notebook", "TF-IDF", "TF-IDF, balanced"
MAJORITY = "majority"
_ABOUT_TFIDF = f"{tfidf.ABOUT}; on the rows that ours trains and validates on"
ARMS = {
    OURS: "python -m classifier train, its default recipe",
    NOTEBOOKS: "python -m classifier train --recipe notebook",
    TFIDF: _ABOUT_TFIDF,
    BALANCED: f"{_ABOUT_TFIDF}; LogisticRegression(class_weight='balanced')",
    MAJORITY: "always the most frequent sentiment and the median rating of those rows",
}
USUAL = [OURS, TFIDF, BALANCED]  # the notebook's recipe takes hours
_RECIPES = {OURS: DEFAULT, NOTEBOOKS: NOTEBOOK}
_METRICS = ("accuracy", "macro_f1", "weighted_f1", "rating_mae")
_FIGURES = (*_METRICS, "neutral_f1")


@dataclass(frozen=True)
class Plan:
    """What is trained on what; everything that a stored result depends on but the code."""

    reviews: str  # a source
    test: str | None  # another, or None for the split's own holdout
    split: By
    seeds: int
    encoder: str  # a hub id or a folder
    options: tuple[str, ...]  # more for `python -m classifier train`
    cache: Path
    work: Path


def path_of(plan: Plan) -> Path:
    """Where the results are kept: by what is trained and judged on, since speed is all the same."""
    sources = rows.names(plan.reviews, plan.test)
    more = [f"by {plan.split}"] * (plan.split != "random") + list(plan.options)
    name = "-".join([sources, *re.findall(r"[\w.]+", " ".join(more))])
    return RESULTS / "quality" / f"{name}.json"


def run_arms(console: Console, plan: Plan, names: list[str], path: Path) -> Results:
    """Seed by seed, every arm; the majority's figures in any case, to compare with."""
    names = [*(name for name in names if name != MAJORITY), MAJORITY]
    reviews = load_reviews(plan.reviews)
    test = load_reviews(plan.test) if plan.test else None
    to_train, holdout = reviews.rows, None
    if test:
        to_train, holdout = separate(reviews, test, plan.split).rest.rows, test.rows
    settings = {
        "seeds": plan.seeds,
        "encoder": None,
        "recipes": {name: asdict(recipe) for name, recipe in _RECIPES.items()},
        "options": list(plan.options),
        "split": plan.split,
        "written_ratings": "stripped",
        "test": rows.described(test, test.rows) if test else "the holdout of each seed's split",
    }
    arms = {line: ARMS[name] for name in names for line in _lines(name)}
    described = rows.described(reviews, to_train)
    results = Results(path, name="quality", arms=arms, settings=settings, rows=described)
    plan.work.mkdir(parents=True, exist_ok=True)
    identity: tuple[object, ...] = ()
    if not _RECIPES.keys().isdisjoint(names):
        identity = find_encoder(plan.encoder, plan.cache).identity
    for seed in range(plan.seeds):
        parts = split_reviews(to_train, by=plan.split, seed=seed, holdout=holdout)
        for name in names:
            if name not in _RECIPES and test and seed:
                continue  # there is no randomness in it, and the rows are the same
            console.print(f"seed {seed}, {name}:", highlight=False)
            place = plan.work / f"{_key(plan, reviews, test, name, identity)}-{seed}"
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


def _key(
    plan: Plan, reviews: Reviews, test: Reviews | None, name: str, identity: tuple[object, ...]
) -> str:
    """The name of a stored result; it differs where anything differs that the result depends on.

    `identity`: of the encoder, as `Encoder` has it.
    """
    recipe = [asdict(_RECIPES[name]), *identity] if name in _RECIPES else []
    parts: list[Any] = [reviews.fingerprint, test.fingerprint if test else "", *recipe]
    parts += [plan.encoder, plan.options, tfidf.ABOUT]
    if plan.split != "random":
        parts.append(plan.split)
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
            judge = _say_always if name == MAJORITY else _fit_tfidf
            measured = {"arms": {name: judge(name, parts)}}
    except ClassifierError as error:  # the other arms' figures are worth having
        return {"arms": {line: {"failed": str(error)} for line in _lines(name)}}
    write_json(file, measured)
    return measured


def _say_always(_: str, parts: Parts) -> Run:
    """The figures of a constant."""
    found = labels_of(concatenate_datasets([parts.train, parts.validation]))
    truth = labels_of(parts.holdout)
    rated = found.rating[found.rating != NO_RATING]
    answers = Answers(
        np.full_like(truth.sentiment, np.bincount(found.sentiment).argmax()),
        np.full_like(truth.rating, round(np.median(rated))) if rated.size else None,
    )
    return {
        **_figures(figures_of_answers(answers, truth)),
        "trained_on": len(found.sentiment),
        "test_rows": len(truth.sentiment),
    }


def _fit_tfidf(name: str, parts: Parts) -> Run:
    to_fit = concatenate_datasets([parts.train, parts.validation])
    with tempfile.TemporaryDirectory() as folder:
        job = {
            "rows": rows.write(Path(folder) / "train.jsonl", to_fit),
            "test": rows.write(Path(folder) / "test.jsonl", parts.holdout),
            "balanced": name == BALANCED,
        }
        measured = run_arm(Arm("benchmarks.tfidf.measure_quality", ARMS[name]), job)
    kept = ("train_seconds", "peak_mb", "trained_on", "test_rows")
    return _figures(measured) | {figure: measured[figure] for figure in kept}


def _figures(metrics: Metrics) -> dict[str, float | None]:
    """What the table shows of an arm's figures, which are as `evaluation.metrics` has them."""
    neutral = metrics["per_class"]["Neutral"]["f1"]
    return {name: metrics.get(name) for name in _METRICS} | {"neutral_f1": neutral}


def _train(name: str, place: Path, seed: int, plan: Plan, parts: Parts) -> dict[str, Any]:
    """Train by the command line, unless the version is there already; its figures."""
    ended = None
    if not Registry(place).versions():
        ended = run(
            *("-m", "classifier", "train", "--resume", "--reviews", plan.reviews),
            *("--models", str(place), "--cache", str(plan.cache)),
            *("--encoder", plan.encoder, "--seed", str(seed), "--split", plan.split),
            *plan.options,
            *(("--holdout", plan.test) if plan.test else ()),
            *("--recipe", "notebook" if name == NOTEBOOKS else "default"),
            show_output=True,  # it takes minutes
        )
    version = Registry(place).versions()[-1]
    ids = parts.ids()
    if version.split() != ids:
        raise ClassifierError(f"{version.path} was trained on other rows than the split's.")
    metrics, training = version.metrics(), version.training()
    lines: dict[str, Run] = {
        f"{name}, {pooling}": {
            **_figures(metrics[pooling]),
            "train_seconds": training["seconds"][pooling],
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
