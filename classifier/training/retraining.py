"""A challenger: the champion's reviews, split and recipe, and what has been learnt since."""

import tempfile
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from datasets import Dataset

from classifier.data.reviews import load_reviews
from classifier.data.splits import restore_split
from classifier.errors import ClassifierError
from classifier.evaluation.gate import Decision, judge
from classifier.registry.provenance import holdout_of
from classifier.registry.registry import Registry
from classifier.registry.version import Version
from classifier.training.experiment import Settings, Surroundings, run_experiment
from classifier.training.recipe import DEFAULT, RECIPES, Recipe


@dataclass(frozen=True)
class Feedback:
    """Files of reviews rated since: those to train on, and those to judge by."""

    extra: str
    held_out: str | None


def retrain(feedback: Feedback, around: Surroundings) -> Decision | None:
    """Train a challenger from the base encoder, publish it and put it before the gate.

    Nothing is promoted. None in all processes of the group but the first. Raises ClassifierError
    where there is no champion, or its reviews or its holdout have changed since.
    """
    champion = Registry(around.models).get("champion")
    training = champion.training()
    holdout = holdout_of(champion)
    try:
        settings = Settings(
            reviews=training["reviews"]["source"],
            encoder=training["encoder"]["name"],
            recipe=recipe_of(training["recipe"]),
            split=training["split"],
            keep_ratings=training["keep_ratings"],
            seed=training["seed"],
            split_of=champion.name,
            holdout=None if holdout is None else holdout.source,
            mixed=training.get("mixed"),  # as many, so that what is new makes the difference
            extra=feedback.extra,
            apart_from=feedback.held_out,
        )
    except KeyError as error:
        raise ClassifierError(
            f"{champion.path / 'training.json'} does not say how it was trained: no {error}."
        ) from error
    with tempfile.TemporaryDirectory(prefix="retraining-") as folder:
        work = replace(around, work=Path(folder))
        challenger = run_experiment(settings, work, resume=False)
    if challenger is None:
        return None
    around.narrator.say("Comparing it with the champion.")
    rows = load_reviews(settings.reviews, keep_ratings=settings.keep_ratings).rows
    parts = restore_split(rows, champion.split(), None if holdout is None else holdout.rows)
    return _judged(champion, challenger, settings, parts.holdout, feedback.held_out, around)


def _judged(
    champion: Version,
    challenger: Version,
    settings: Settings,
    holdout: Dataset,
    held_out: str | None,
    around: Surroundings,
) -> Decision:
    rated = None
    if held_out is not None:
        rated = load_reviews(held_out, keep_ratings=settings.keep_ratings).rows
    return judge(
        champion, challenger, holdout, rated, device=around.group.device, cache=around.cache
    )


def recipe_of(kept: dict[str, Any]) -> Recipe:
    """As training.json has it; what it lacks, being newer, as the recipe of that name has it."""
    known = {field.name for field in fields(Recipe)} & kept.keys()
    namesake = RECIPES.get(kept.get("name", ""), DEFAULT)
    return replace(namesake, **{name: kept[name] for name in known})
