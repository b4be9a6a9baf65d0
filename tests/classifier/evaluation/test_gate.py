"""A challenger learns from what is rated since, and the gate tells a bad one from a good one."""

import json
import random
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console

from classifier.data.reviews import load_reviews
from classifier.data.splits import restore_split
from classifier.errors import ClassifierError
from classifier.evaluation import gate
from classifier.evaluation.gate import (
    Check,
    Decision,
    by_person,
    calibration_check,
    feedback_check,
    judge,
)
from classifier.evaluation.limits import Limits
from classifier.evaluation.metrics import evaluate
from classifier.evaluation.version_scores import Scores, score
from classifier.modeling.outputs import Labels, Outputs
from classifier.registry.registry import Registry
from classifier.registry.version import Version
from classifier.training import retraining
from classifier.training.additional_rows import AdditionalRows
from classifier.training.console import CommandConsole
from classifier.training.distributed import Group
from classifier.training.recipe import NOTEBOOK, Recipe, recipe_of
from classifier.training.retraining import Feedback, retrain
from classifier.training.settings import RunContext

Rows = list[dict[str, Any]]
MakeRows = Callable[..., Rows]


def write(file: Path, rows: Rows) -> str:
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return str(file)


@dataclass(frozen=True)
class Place:
    """A folder with a champion that has seen few reviews."""

    folder: Path
    context: RunContext
    reviews: str
    champion: Version

    def retrain(self, extra: Rows, held_out: Rows | None = None) -> Decision:
        held = None if held_out is None else write(self.folder / "held.jsonl", held_out)
        decision = retrain(Feedback(write(self.folder / "extra.jsonl", extra), held), self.context)
        assert decision is not None
        return decision


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, trained_on_few: Path, alone: Group) -> Place:
    folder = tmp_path_factory.mktemp("retraining")
    models = Path(shutil.copytree(trained_on_few / "models", folder / "models"))
    context = RunContext(models, folder / "cache", alone, CommandConsole(Console(quiet=True)))
    reviews = str(trained_on_few / "reviews.jsonl")
    return Place(folder, context, reviews, Registry(models).get("champion"))


@pytest.mark.slow
def test_a_better_challenger_is_accepted(
    place: Place,
    make_rows: MakeRows,
    keep_default_rng: None,
    no_report: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read = Version.training
    # As of a champion for which there was time to mix five reviews.
    recipe = asdict(Recipe(**read(place.champion)["recipe"]).for_mixed())
    as_mixed = {"mixed": 5, "recipe": recipe}
    monkeypatch.setattr(Version, "training", lambda version: read(version) | as_mixed)
    held_out = make_rows(60, seed=8, rated=1)
    # Among the extra ones are reviews that are held out, and one that is nearly so.
    parts = restore_split(load_reviews(place.reviews).rows, place.champion.split())
    near = held_out[0] | {"content": held_out[0]["content"] + " Ну и ну."}
    known = [{"content": text, "grade10": 1} for text in parts.holdout["content"][:3]]
    # So many that it makes hardly a mistake: one more than the champion in 40 would be too many.
    extra = [row | {"weight": 2} for row in make_rows(1200, seed=7, rated=1)]
    decision = place.retrain([*extra, *known, near, held_out[1]], held_out)
    assert decision.accepted, decision.reason
    assert decision.reason == (
        f"{decision.challenger} is accepted: no worse than {place.champion.name} on"
        " 40 held-out reviews and 60 rated ones of 60 persons."
    )
    challenger = Registry(place.context.models).get(decision.challenger)
    assert challenger.split()["holdout"] == place.champion.split()["holdout"]
    assert challenger.split()["train"] == place.champion.split()["train"], "no ids of the extra"
    reference = challenger.reference()
    assert reference is not None
    for seen in ("length", "unknown"):
        mixed = 5 if seen == "unknown" else 0
        assert sum(reference[seen]["counts"]) == len(challenger.split()["train"]) + 1200 + mixed
    training = read(challenger)
    assert training["mixed"] == 5, "the challenger had it"
    assert training["extra"] == {"read": 1205, "kept": 1200, "known": 5}
    assert training["recipe"] == place.champion.training()["recipe"]
    assert training["encoder"] == place.champion.training()["encoder"], "not the champion's weights"
    for pooling in ("cls", "mean"):
        told = decision.figures["feedback"]
        assert told["challenger"][pooling]["accuracy"] > told["champion"][pooling]["accuracy"]
    assert Registry(place.context.models).get("champion") == place.champion, "that is for others"
    json.dumps(decision.as_json(), allow_nan=False)


@pytest.mark.slow
def test_a_challenger_trained_on_shuffled_labels_is_refused(
    place: Place, make_rows: MakeRows, keep_default_rng: None, no_report: None
) -> None:
    extra = [row | {"weight": 3} for row in make_rows(500, seed=7, rated=1)]
    ratings = [row["grade10"] for row in extra]
    random.Random(0).shuffle(ratings)
    wrong = [
        row | {"grade10": rating, "grade3": None}
        for row, rating in zip(extra, ratings, strict=True)
    ]
    decision = place.retrain(wrong, make_rows(60, seed=8, rated=1))
    assert not decision.accepted
    # With mean pooling the champion is good; with CLS such a small one may know little.
    failed = {c.name for c in decision.checks if c.pooling == "mean" and not c.passed}
    assert {"macro_f1", "recall", "feedback"} <= failed
    assert decision.reason.startswith(f"{decision.challenger} is refused: ")
    texts = [row["content"] for row in wrong]
    assert not _files_with(texts, place.folder / "models", place.folder / "cache"), "none is kept"


def test_what_a_champions_recipe_lacks_is_as_in_its_namesake() -> None:
    kept = {"name": "notebook", "learning_rate": 3e-5, "notebook": True, "dropped_since": 1}
    assert recipe_of(kept) == replace(NOTEBOOK, learning_rate=3e-5)
    without_name = {"learning_rate": 3e-5, "notebook": True}
    assert recipe_of(without_name) == replace(NOTEBOOK, learning_rate=3e-5)
    assert recipe_of({"name": "default", "notebook": False}) == Recipe()
    assert recipe_of({"epochs": 2}) == Recipe(epochs=2)


def test_a_version_is_as_good_as_itself(
    place: Place, make_rows: MakeRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = load_reviews(place.reviews).rows
    holdout = restore_split(rows, place.champion.split()).holdout
    few = load_reviews(write(place.folder / "few.jsonl", make_rows(29, seed=3, rated=1))).rows
    same = judge(
        place.champion,
        place.champion,
        holdout,
        few,
        device=torch.device("cpu"),
        cache=place.context.cache,
    )
    assert same.accepted
    assert not [check for check in same.checks if check.name == "feedback"], "29 are too few"
    assert same.rated_rows == same.rated_persons == 29
    assert same.reason.endswith("29 rated ones of 29 persons are too few to judge by.")
    monkeypatch.setattr(gate, "LIMITS", Limits(macro_f1_margin=0.0))
    strict = judge(
        place.champion,
        place.champion,
        holdout,
        None,
        device=torch.device("cpu"),
        cache=place.context.cache,
    )
    assert not strict.accepted


def test_a_challenger_that_is_worse_where_less_of_a_review_is_read(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by a bot that many ask at once. These models read at most 64 tokens."""
    challenger = replace(place.champion, path=place.champion.path)
    rows = load_reviews(place.reviews).rows
    holdout = restore_split(rows, place.champion.split()).holdout

    def decision(most_tokens: int) -> Decision:
        monkeypatch.setattr(gate, "LIMITS", Limits(in_short=most_tokens))
        device = torch.device("cpu")
        return judge(
            place.champion, challenger, holdout, None, device=device, cache=place.context.cache
        )

    assert "in_short" not in {check.name for check in decision(64).checks}, "none is so long"
    same = decision(12)
    assert [check.passed for check in same.checks if check.name == "in_short"] == [True, True]
    whole, short = same.figures["holdout"]["champion"], same.figures["in_short"]["champion"]
    assert short["mean"]["accuracy"] != whole["mean"]["accuracy"], "less was read"

    def worse(version: Version, *given: Any) -> Scores:
        found = score(version, *given)
        if version is not challenger or len(given) < 4:
            return found
        outputs = {
            pooling: replace(of, sentiment_logits=-of.sentiment_logits)
            for pooling, of in found.outputs.items()
        }
        metrics = {pooling: evaluate(of, found.labels) for pooling, of in outputs.items()}
        return replace(found, outputs=outputs, metrics=metrics)

    monkeypatch.setattr(gate, "score", worse)
    refused = decision(12)
    assert {check.name for check in refused.checks if not check.passed} == {"in_short"}
    assert "difference in macro F1, 256 tokens read (mean) -" in refused.reason


@pytest.mark.parametrize(("persons", "is_judged"), [(9, False), (10, True)])
def test_ratings_of_few_persons_judge_nothing(
    place: Place, make_rows: MakeRows, persons: int, is_judged: bool
) -> None:
    holdout = restore_split(load_reviews(place.reviews).rows, place.champion.split()).holdout
    rows = make_rows(60, seed=3, rated=1)
    named = [row | {"person": number % persons} for number, row in enumerate(rows)]
    file = write(place.folder / f"by{persons}.jsonl", named)
    decision = judge(
        place.champion,
        place.champion,
        holdout,
        load_reviews(file).rows,
        device=torch.device("cpu"),
        cache=place.context.cache,
    )
    assert decision.accepted
    assert (decision.rated_rows, decision.rated_persons) == (60, persons)
    assert any(check.name == "feedback" for check in decision.checks) == is_judged


@pytest.mark.parametrize(
    ("worse", "of", "ratings", "passes"),
    [
        (1, 10, 50, True),  # with fifty ratings, one person freezes nothing
        (1, 100, 50, True),
        (5, 20, 50, True),
        (10, 10, 3, False),  # everybody is answered worse
        (15, 20, 3, False),
    ],
)
def test_persons_count_alike_and_chance_refuses_nothing(
    worse: int, of: int, ratings: int, passes: bool
) -> None:
    """The challenger is wrong wherever `worse` persons rated, the champion nowhere."""
    persons = np.concatenate(
        [np.repeat(np.arange(worse), ratings), np.repeat(np.arange(worse, of), 3)]
    )
    old, new = np.ones(len(persons), dtype=bool), persons >= worse
    found = by_person(old, new, persons)
    assert found.difference == pytest.approx(-worse / of)
    assert feedback_check("cls", found).passed == passes
    assert feedback_check("cls", by_person(new, old, persons)).passed, "better earns nothing"


def test_one_failed_check_is_enough() -> None:
    good, bad = (
        Check("speed", "cls", True, 1.0, 1.5),
        Check("recall", "mean", False, -0.2, -0.05, "Bad"),
    )
    assert Decision("a", "b", 10, 0, [good]).accepted
    refused = Decision("a", "b", 10, 0, [good, bad])
    assert not refused.accepted
    assert refused.reason == "b is refused: change in recall of Bad (mean) -0.200, limit -0.050."


@pytest.mark.parametrize(("confidence", "passes"), [(0.7, True), (0.99, False)])
def test_a_challenger_too_sure_of_itself_is_refused(confidence: float, passes: bool) -> None:
    """Right in 7 of 10 reviews of 400: how sure may it be?"""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 400)
    answers = np.where(rng.random(400) < 0.7, truth, (truth + 1) % 3)
    labels = Labels(truth, np.full(400, -1))

    def scores(sure: float) -> Scores:
        outputs = Outputs(np.log(np.where(np.eye(3)[answers] > 0, sure, (1 - sure) / 2)), None)
        both = dict.fromkeys(("cls", "mean"), outputs)
        metrics = {pooling: evaluate(outputs, labels) for pooling in both}
        return Scores("v", labels, both, metrics, trained_on=0, longest=9)

    check = calibration_check("mean", scores(0.7), scores(confidence))
    assert check.passed == passes


def test_extra_reviews_that_are_all_known(place: Place) -> None:
    rows = load_reviews(place.reviews).rows
    parts = restore_split(rows, place.champion.split())
    known = [{"content": text, "grade10": 1} for text in parts.validation["content"]]
    file = write(place.folder / "known.jsonl", known)
    with pytest.raises(ClassifierError, match="All 40 extra reviews are known already"):
        AdditionalRows.load(file, keep_ratings=False).apart_from(parts, None)


def test_without_a_champion(tmp_path: Path, place: Place) -> None:
    context = replace(place.context, models=tmp_path)
    with pytest.raises(ClassifierError, match="no champion yet"):
        retrain(Feedback(place.reviews, None), context)


def _files_with(texts: list[str], *folders: Path) -> set[str]:
    """The files that hold one of the texts."""
    return {
        file.name
        for folder in folders
        for file in folder.rglob("*")
        if file.is_file()
        for content in [file.read_bytes()]
        if any(text.encode() in content for text in texts)
    }


def test_a_retraining_takes_the_commit_of_the_champion_s_encoder(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, taken = Version.training, []
    from_hub = {"name": "owner/bert", "revision": "c0ffee" * 6 + "c0ff"}
    monkeypatch.setattr(Version, "training", lambda version: read(version) | {"encoder": from_hub})
    monkeypatch.setattr(
        retraining, "run_experiment", lambda settings, *_, **__: taken.append(settings.encoder)
    )
    assert retrain(Feedback(place.reviews, None), place.context) is None
    assert taken == [f"owner/bert@{from_hub['revision']}"]
