"""A challenger: trained on the champion's reviews, split and recipe, and on newer reviews."""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from classifier.data.reviews import load_reviews
from classifier.data.schema import OURS
from classifier.errors import ClassifierError
from classifier.evaluation.gate import Decision, judge
from classifier.registry.provenance import holdout_of, holdout_rows, schema_of, source_of
from classifier.registry.registry import Registry
from classifier.training.experiment import run_experiment
from classifier.training.recipe import recipe_of
from classifier.training.settings import RunContext, Settings


@dataclass(frozen=True)
class Feedback:
    """Files of reviews rated since: those to train on, and those to judge by."""

    extra: str
    holdout: str | None


def retrain(feedback: Feedback, context: RunContext) -> Decision | None:
    """Train a challenger from the base encoder, publish it and let the gate decide.

    Nothing is promoted. None in all processes of the group except the first. Raises
    ClassifierError where there is no champion, where reviews of its split are gone, and where the
    file that judged it has changed.
    """
    champion = Registry(context.models).get("champion")
    training = champion.training()
    holdout = holdout_of(champion)
    try:
        settings = Settings(
            reviews=source_of(champion),
            encoder=_encoder_of(training["encoder"]),
            recipe=recipe_of(training["recipe"]),
            split=training["split"],
            schema=schema_of(champion),
            keep_ratings=training["keep_ratings"],
            seed=training["seed"],
            split_of=champion.name,
            holdout=None if holdout is None else holdout.source,
            mixed=training.get("mixed"),  # as many, so that what is new makes the difference
            extra=feedback.extra,
            apart_from=feedback.holdout,
        )
    except KeyError as error:
        raise ClassifierError(
            f"{champion.path / 'training.json'} does not say how it was trained: no {error}."
        ) from error
    with tempfile.TemporaryDirectory(prefix="retraining-") as folder:
        work = replace(context, work=Path(folder))
        challenger = run_experiment(settings, work, resume=False)
    if challenger is None:
        return None
    context.console.say("Comparing it with the champion.")
    rated, keep_ratings = None, settings.keep_ratings
    if feedback.holdout is not None:
        rated = load_reviews(feedback.holdout, keep_ratings=keep_ratings, schema=OURS).rows
    judging, device = holdout_rows(champion), context.group.device
    return judge(champion, challenger, judging, rated, device=device, cache=context.cache)


def _encoder_of(record: dict[str, Any]) -> str:
    """The champion's encoder at the champion's commit."""
    revision = record.get("revision")
    return f"{record['name']}@{revision}" if revision else str(record["name"])
