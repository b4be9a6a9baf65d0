"""`feedback`: what a rating teaches, by how the reviews to ask for are chosen.

The rows of a file are replayed as users: models are trained on the first of them, users send some
more, a score chooses whom to ask, and the models are trained anew with what these answered, round
after round. All scores of a seed share the first models, the reviews sent and the test rows.

Every score of a seed is stored in the work folder as soon as it is done: the same command again
continues an interrupted run.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset
from numpy.typing import NDArray
from rich.console import Console
from scipy.stats import t as student

from benchmarks import RESULTS, rows
from benchmarks.asking import SCORES
from benchmarks.replay import FIGURES, Replay, Size
from benchmarks.results import Results, Run, line_of
from classifier.data.holdout import separate
from classifier.data.reviews import Reviews, load_reviews
from classifier.data.splits import stratified_subset
from classifier.data.tokenizer import load_tokenizer
from classifier.errors import ClassifierError
from classifier.files import write_json
from classifier.modeling.encoders import Encoder, find_encoder
from classifier.training.recipe import Recipe

RANDOM = "random"
ARMS = {name: " ".join((score.__doc__ or "").split()) for name, score in SCORES.items()}


@dataclass(frozen=True)
class Plan:
    """Who is replayed, and how often."""

    reviews: str  # a source
    test: str | None  # another, or None for a part of the reviews
    test_rows: int  # at most
    size: Size
    seeds: int
    encoder: str  # a hub id or a folder
    cache: Path
    work: Path


def path_of(plan: Plan) -> Path:
    """Where the results are kept: by the files."""
    return RESULTS / "feedback" / f"{rows.names(plan.reviews, plan.test)}.json"


def run_arms(console: Console, plan: Plan, names: list[str], path: Path) -> Results:
    """Seed by seed, every score; `random` always."""
    names = [RANDOM, *(name for name in names if name != RANDOM)]
    reviews = load_reviews(plan.reviews)
    test = load_reviews(plan.test) if plan.test else None
    to_send, judging = _apart(plan, reviews, test)
    size = plan.size
    if len(to_send) < size.reviews or size.taps > size.sent:
        raise ClassifierError(
            f"{size.rounds} rounds of {size.sent} reviews after {size.start} take {size.reviews} "
            f"rated reviews, of which {size.taps} are asked for in each; there are {len(to_send)}."
        )
    if not any(rating is not None for rating in judging["rating"]):
        raise ClassifierError(f"None of the {len(judging)} reviews to judge on has a rating.")
    encoder = find_encoder(plan.encoder, plan.cache)
    settings = {
        **asdict(size),
        "seeds": plan.seeds,
        "encoder": encoder.origin,
        "test": rows.described(test or reviews, judging),
    }
    arms = {name: ARMS[name] for name in names}
    described = rows.described(reviews, to_send)
    results = Results(path, name="feedback", arms=arms, settings=settings, rows=described)
    tokenizer, recipe = load_tokenizer(encoder.folder), size.recipe(encoder)
    key = _key(plan, recipe, reviews, test, encoder)
    plan.work.mkdir(parents=True, exist_ok=True)
    for seed in range(plan.seeds):
        place = plan.work / f"feedback-{key}-{seed}"
        order = np.random.default_rng(seed).permutation(len(to_send))
        sent = to_send.select(order[: size.reviews])
        started = place.with_suffix(".safetensors")
        replay = Replay(size, recipe, sent, judging, encoder.folder, tokenizer, seed, started)
        for name in names:
            judged = _stored_or_replayed(replay, name, place)
            results.add(name, {"seed": seed, "rounds": judged})
            console.print(f"seed {seed}, {name}: {line_of(judged[-1])}", highlight=False)
    results.finish(summary(results))
    return results


def _apart(plan: Plan, reviews: Reviews, test: Reviews | None) -> tuple[Dataset, Dataset]:
    """The reviews that users send, and those to judge by.

    Whoever is asked taps a rating: without one a review can't be replayed.
    """
    source = test.rows if test else reviews.rows
    judging = stratified_subset(source, min(plan.test_rows, len(source)), 0)
    if test:
        rest = separate(reviews, test, "random").rest.rows
    else:
        judged = set(judging["review_id"])
        rest = source.filter(lambda review: review not in judged, input_columns="review_id")
    return rest.filter(lambda rating: rating is not None, input_columns="rating"), judging


def _stored_or_replayed(replay: Replay, name: str, place: Path) -> list[dict[str, Any]]:
    """The result of an earlier run of the same, or a new one."""
    file = place.with_name(f"{place.name}-{name.replace(' ', '-')}.json")
    if file.exists():
        stored: list[dict[str, Any]] = json.loads(file.read_bytes())
        return stored
    judged = replay.rounds(name)
    write_json(file, judged)
    return judged


def _key(
    plan: Plan, recipe: Recipe, reviews: Reviews, test: Reviews | None, encoder: Encoder
) -> str:
    """The name of stored results; it differs where anything differs that they depend on."""
    parts: list[Any] = [reviews.fingerprint, test.fingerprint if test else "", plan.test_rows]
    parts += [asdict(plan.size), asdict(recipe), plan.encoder, *encoder.identity]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]


def summary(results: Results) -> dict[str, Any]:
    """Each score's figures by taps, and how far they are from random's of the same seed.

    `to_random` is the mean over the rounds, the area between the two curves. Intervals are
    Student's over the seeds, which differ in the reviews sent and in the training's chance.
    """
    random = {run["seed"]: run for run in results.runs(RANDOM)}
    arms: dict[str, dict[str, Any]] = {}
    for name in results.document["arms"]:
        runs = [run for run in results.runs(name) if run["seed"] in random]
        arms[name] = {"seeds": len(runs), "curve": [], "to_random": {}}
        if runs:
            gained = _curves(runs) - _curves([random[run["seed"]] for run in runs])
            taps = [judged["taps"] for judged in runs[0]["rounds"]]
            by_round = zip(taps, _curves(runs).swapaxes(0, 1), gained.swapaxes(0, 1), strict=True)
            arms[name] |= {
                "curve": [
                    {"taps": at, **_with_intervals(figures), "to_random": _with_intervals(gains)}
                    for at, figures, gains in by_round
                ],
                "to_random": _with_intervals(gained[:, 1:].mean(axis=1)),
            }
    return {"arms": arms}


def _curves(runs: list[Run]) -> NDArray[np.float64]:
    """The figures [seeds, rounds, figures] of some replays."""
    return np.array(
        [[[judged[name] for name in FIGURES] for judged in run["rounds"]] for run in runs]
    )


def _with_intervals(values: NDArray[np.float64]) -> dict[str, dict[str, float | None]]:
    """By figure the mean of values [seeds, figures], and its 95 % interval; None of one seed."""
    seeds, found = len(values), {}
    for name, of_seeds in zip(FIGURES, values.T, strict=True):
        mean, reach = float(of_seeds.mean()), None
        if seeds > 1:
            error = of_seeds.std(ddof=1) / np.sqrt(seeds)
            reach = float(student.ppf(0.975, seeds - 1) * error)
        low, high = (None, None) if reach is None else (mean - reach, mean + reach)
        found[name] = {"mean": mean, "low": low, "high": high}
    return found
