"""`quality`: how right each arm is, trained on the same rows and judged on the same others.

Every arm of a seed is kept in the work folder as soon as it is done: the same command again goes
on where it was interrupted.
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
from benchmarks.processes import run, run_arm
from benchmarks.results import Results
from benchmarks.show import number, print_table, spread
from classifier.data.holdout import hold_out
from classifier.data.reviews import Reviews
from classifier.data.splits import Parts, split_reviews
from classifier.errors import ClassifierError
from classifier.files import write_json
from classifier.registry.registry import Registry
from classifier.training.recipe import DEFAULT, NOTEBOOK

FIGURES = ("accuracy", "macro_f1", "weighted_f1", "rating_mae")
OURS, NOTEBOOKS, WORDS = "ours", "notebook", "TF-IDF"
ARMS = (OURS, NOTEBOOKS, WORDS)
USUAL = (OURS, WORDS)  # the notebook's recipe takes hours
_ABOUT = {
    OURS: "python -m classifier train, its default recipe",
    NOTEBOOKS: "python -m classifier train --recipe notebook",
    WORDS: f"{tfidf.ABOUT}; on the rows that ours trains and validates on",
}


@dataclass(frozen=True)
class Plan:
    """What is trained on what; everything that a kept result depends on but the code."""

    reviews: str
    test: str | None  # a source, or None for the split's own holdout
    encoder: str
    options: tuple[str, ...]  # more for `classifier train`
    cache: Path
    work: Path


def run_arms(
    console: Console, plan: Plan, *, seeds: int, names: list[str], path: Path | None
) -> Results:
    """Seed by seed, every arm."""
    found = rows.read(plan.reviews)
    test = rows.read(plan.test) if plan.test else None
    learnt, holdout = found.rows, None
    if test:
        learnt, holdout = hold_out(found, test, "random").rest.rows, test.rows
    results = Results(
        "quality",
        path,
        {
            "seeds": seeds,
            "encoder": None,
            "recipes": {OURS: asdict(DEFAULT), NOTEBOOKS: asdict(NOTEBOOK)},
            "options": list(plan.options),
            "written_ratings": "stripped",
            "test": rows.described(test, test.rows) if test else "the holdout of each seed's split",
        },
        rows.described(found, learnt),
    )
    for name in names:
        for line in _lines(name):
            results.arm(line, _ABOUT[name])
    plan.work.mkdir(parents=True, exist_ok=True)
    for seed in range(seeds):
        parts = split_reviews(learnt, by="random", seed=seed, holdout=holdout)
        for name in names:
            if name == WORDS and test and seed:
                continue  # it has no randomness, and the rows are the same
            console.print(f"seed {seed}, {name}:", highlight=False)
            place = plan.work / f"{_key(plan, found, test, name)}-{seed}"
            measured = _kept(place)
            if measured is None:
                measured = _judged(name, place, seed, plan, parts)
                _keep(place, measured)
            for line, figures in measured["arms"].items():
                results.add(line, {"seed": seed, **figures})
                console.print(f"  {line}: {_told(figures)}", highlight=False)
            if measured.get("encoder"):
                results.document["settings"]["encoder"] = measured["encoder"]
    results.finish(summary(results))
    return results


def _lines(name: str) -> list[str]:
    """An arm's lines in the table: training gives two poolings."""
    return [f"{name}, cls", f"{name}, mean"] if name in (OURS, NOTEBOOKS) else [name]


def _key(plan: Plan, found: Reviews, test: Reviews | None, name: str) -> str:
    """The name of what is kept; another where anything that matters is another."""
    recipe = asdict(NOTEBOOK if name == NOTEBOOKS else DEFAULT) if name in (OURS, NOTEBOOKS) else {}
    matters = [found.fingerprint, test.fingerprint if test else "", recipe]
    matters += [plan.encoder, plan.options, tfidf.ABOUT]
    if test:  # for what is kept from when ours held a tenth out besides
        matters.append("--holdout")
    digest = hashlib.sha256(json.dumps(matters, sort_keys=True).encode()).hexdigest()[:12]
    return f"{name}-{digest}"


def _kept(place: Path) -> dict[str, Any] | None:
    """What an earlier run of the same found."""
    try:
        kept: dict[str, Any] = json.loads(place.with_suffix(".json").read_bytes())
    except FileNotFoundError:
        return None
    return kept


def _keep(place: Path, measured: dict[str, Any]) -> None:
    """For the next run of the same, which is to try again what failed."""
    if not any("failed" in figures for figures in measured["arms"].values()):
        write_json(place.with_suffix(".json"), measured)


def _judged(name: str, place: Path, seed: int, plan: Plan, parts: Parts) -> dict[str, Any]:
    try:
        if name in (OURS, NOTEBOOKS):
            return _trained(name, place, seed, plan, parts)
        return {"arms": {name: _fitted(parts)}}
    except ClassifierError as error:  # the other arms' figures are worth having
        return {"arms": {line: {"failed": str(error)} for line in _lines(name)}}


def _fitted(parts: Parts) -> dict[str, Any]:
    learnt = concatenate_datasets([parts.train, parts.validation])
    with tempfile.TemporaryDirectory() as folder:
        files = {
            "rows": str(rows.write(Path(folder) / "learnt.jsonl", learnt)),
            "test": str(rows.write(Path(folder) / "judged.jsonl", parts.holdout)),
        }
        return run_arm("benchmarks.tfidf", files, function="judge")


def _trained(name: str, place: Path, seed: int, plan: Plan, parts: Parts) -> dict[str, Any]:
    """A training by the command line, unless it is there already."""
    where = ("--models", str(place), "--cache", str(plan.cache))
    ended = None
    if not Registry(place).versions():
        ended = run(
            *("-m", "classifier", "train", "--resume", "--reviews", plan.reviews, *where),
            *("--encoder", plan.encoder, "--seed", str(seed), *plan.options),
            *(("--holdout", plan.test) if plan.test else ()),
            *("--recipe", "notebook" if name == NOTEBOOKS else "default"),
            aloud=True,  # it takes minutes
        )
    version = Registry(place).versions()[-1]
    ids = parts.ids()
    if version.split() != ids:
        raise ClassifierError(f"{version.path} was trained on other rows than the split's.")
    measured, training = version.metrics(), version.training()
    arms = {
        f"{name}, {pooling}": {
            **{figure: measured[pooling].get(figure) for figure in FIGURES},
            "train_seconds": training["seconds"][pooling] + _adapting(training),
            # Of the whole command: both poolings, reading and the report included.
            "command_seconds": ended.seconds if ended else None,
            "peak_mb": ended.peak_mb if ended else None,
            "trained_on": len(ids["train"]) + len(ids["validation"]),
            "test_rows": measured[pooling]["rows"],
        }
        for pooling in ("cls", "mean")
    }
    return {"arms": arms, "encoder": training["encoder"]["origin"]}


def _adapting(training: dict[str, Any]) -> float:
    """Seconds of the encoder's adaptation, which one pooling alone would need as well."""
    return float(sum(epoch["seconds"] for epoch in training["adaptation"]))


def _told(figures: dict[str, Any]) -> str:
    if "failed" in figures:
        return f"failed: {figures['failed']}"
    return (
        f"accuracy {figures['accuracy']:.4f}, macro F1 {figures['macro_f1']:.4f}, "
        f"rating MAE {number(figures['rating_mae'], 3)}, trained in "
        f"{figures['train_seconds']:,.0f} s"
    )


def summary(results: Results) -> dict[str, Any]:
    """Mean and range over the seeds of each arm's figures."""
    arms: dict[str, dict[str, Any]] = {}
    for name in results.document["arms"]:
        runs = results.runs(name)
        arms[name] = {"seeds": len(runs)}
        for figure in (*FIGURES, "train_seconds", "peak_mb"):
            values = [run[figure] for run in runs if run.get(figure) is not None]
            arms[name][figure] = (
                None
                if not values
                else {
                    "mean": sum(values) / len(values),
                    "low": min(values),
                    "high": max(values),
                }
            )
    return {"arms": arms}


def show(console: Console, results: Results) -> None:
    """The table of means, with the range over the seeds."""
    lines = [
        [
            name,
            spread(arm["accuracy"], 1, as_percent=True),
            spread(arm["macro_f1"], 3),
            spread(arm["weighted_f1"], 3),
            spread(arm["rating_mae"], 2),
            number(arm["train_seconds"] and arm["train_seconds"]["low"]),
            number(_mean(arm["peak_mb"])),
        ]
        for name, arm in results.document["summary"]["arms"].items()
    ]
    columns = ["arm", "accuracy", "macro F1", "weighted F1", "rating MAE", "seconds", "peak MB"]
    seeds = results.document["settings"]["seeds"]
    print_table(console, f"Quality, mean (range) over {seeds} seeds", columns, lines)
    failed = [name for name in results.document["arms"] if not results.runs(name)]
    if failed:
        console.print(f"Failed: {'; '.join(failed)}")


def _mean(figure: dict[str, float] | None) -> float | None:
    return None if figure is None else figure["mean"]
