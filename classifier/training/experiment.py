"""One experiment: both poolings on the same data, seed and schedule, to a version on disk."""

import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from datasets import Dataset
from transformers import PreTrainedTokenizerBase

from classifier.data.holdout import Separated, separate
from classifier.data.mixing import with_mixed
from classifier.data.reviews import Reviews, class_counts, load_reviews
from classifier.data.splits import By, Parts, restore_split, split_reviews, stratified_subset
from classifier.data.tokenizer import load_tokenizer, tokenize_cached
from classifier.modeling.encoders import Encoder, find_encoder
from classifier.registry.registry import Registry
from classifier.registry.version import Version
from classifier.reports.report import Holdout
from classifier.training.additional_rows import Extra
from classifier.training.both_poolings import Data, PairTraining, Trained
from classifier.training.budget import reviews_within
from classifier.training.console import Narrator
from classifier.training.distributed import Group
from classifier.training.documents import figures, reference
from classifier.training.labelled import labelled_part
from classifier.training.publishing import publish, surroundings
from classifier.training.recipe import Recipe
from classifier.training.unfinished import UnfinishedRun, run_key

_TIMED_REVIEWS = 256


@dataclass(frozen=True)
class Settings:
    """What an experiment was asked to be; equal settings on equal reviews are the same run."""

    reviews: str
    encoder: str
    recipe: Recipe
    split: By = "random"
    keep_ratings: bool = False
    split_of: str | None = None  # take the parts of this version instead of splitting anew
    holdout: str | None = None  # a file of reviews to judge by, instead of a tenth of the others
    extra: str | None = None  # a file of reviews to train on besides
    apart_from: str | None = None  # a file of held-out reviews: none like them is trained on
    mixed: int | None = None  # with split_of, so many mixed reviews; by default what is needed
    limit: int | None = None
    minutes: float | None = None  # take as many reviews as train in about that time
    seed: int = 0
    seeds: int = 1


@dataclass(frozen=True)
class Surroundings:
    """Where an experiment reads and writes, with whom it works, and who tells about it."""

    models: Path
    cache: Path
    group: Group
    narrator: Narrator
    work: Path | None = None  # where unfinished runs are kept; among the models by default


def run_experiment(settings: Settings, around: Surroundings, *, resume: bool) -> Version | None:
    """Train, evaluate and compare both poolings, and publish them as a version.

    Every process of the group takes part in the training; the first one alone evaluates and
    publishes, the others get None. Raises ClassifierError for what the user can mend.
    """
    narrator = around.narrator
    reviews = read_reviews(settings.reviews, around.models, narrator, settings.keep_ratings)
    held_out = _held_out(settings, reviews, around)
    if held_out is not None:
        reviews = held_out.rest
    encoder = find_encoder(settings.encoder, around.cache)
    narrator.encoder(encoder.name, encoder.origin, encoder.stand_in)
    tokenizer = load_tokenizer(encoder.folder)
    settings = replace(settings, recipe=_fitted(settings.recipe, encoder, tokenizer, narrator))
    extra = None if settings.extra is None else Extra.load(settings.extra, settings.keep_ratings)
    fingerprint = reviews.fingerprint + (extra.fingerprint if extra else "")
    fingerprint += held_out.holdout.fingerprint if held_out else ""
    key = run_key(asdict(settings), fingerprint, encoder.folder.name)
    work = around.work or around.models
    with UnfinishedRun.open(work, key, around.group, resume=resume) as run:
        if resume:
            narrator.say(run.what_is_there())
        parts, mixed = _choose(settings, reviews, held_out, encoder, tokenizer, around, run)
        counts = {name: class_counts(rows) for name, rows in vars(parts).items()}
        narrator.parts(counts)
        if settings.recipe.mixed_for(len(parts.train)):  # if there is no time to mix any, too
            settings = replace(settings, recipe=settings.recipe.for_mixed())
        if mixed:
            narrator.say(f"Few reviews: {mixed:,} more to train on, mixed from their sentences.")
        rows = with_mixed(parts.train, mixed, settings.seed)
        data = _tokenized(parts, rows, encoder, tokenizer, settings.recipe, around.cache)
        if extra is not None:
            extra = extra.apart_from(parts, settings.apart_from)
            narrator.say(extra.told())
            data = replace(data, training=extra.join(data.training, tokenizer, settings.recipe))
        narrator.say(_arithmetic(settings.recipe, around.group))
        training = PairTraining(
            encoder.folder,
            settings.recipe,
            settings.keep_ratings,
            data,
            run,
            around.group,
            narrator,
            settings.seeds,
        )
        seeds = range(settings.seed, settings.seed + settings.seeds)
        pairs = [training.train(seed) for seed in seeds]
        if not around.group.is_first:
            return None
        narrator.say("Writing the report.")
        version = publish(
            Registry(around.models),
            {name: training.model(name, settings.seed, one) for name, one in pairs[0].items()},
            tokenizer,
            {
                "metrics": figures(data, pairs),
                "history": {name: trained.history for name, trained in pairs[0].items()},
                "split": parts.ids(),
                "training": _training(settings, reviews, extra, counts, encoder, pairs[0], around)
                | {"mixed": mixed}
                | ({"holdout": held_out.record()} if held_out else {}),
                "reference": reference(parts, extra, data, tokenizer, pairs[0]),
            },
            Holdout(
                parts.holdout["text"],
                parts.holdout["movie_name"],
                data.holdout.labels,
                {name: trained.outputs for name, trained in pairs[0].items()},
            ),
        )
        run.finish()
    return version


def read_reviews(
    source: str,
    models: Path,
    narrator: Narrator,
    keep_ratings: bool = False,
    title: str = "reviews",
) -> Reviews:
    """The reviews of `source`, told about; rejected rows are listed in a file in `models`."""
    models.mkdir(parents=True, exist_ok=True)
    # The holdout's file may have the same name as the reviews', in another folder.
    prefix = "holdout-" if title == "holdout" else ""
    rejects = models / f"{prefix}{Path(source).name}.rejected.jsonl"
    reviews = load_reviews(source, rejects_path=rejects, keep_ratings=keep_ratings)
    narrator.reviews(reviews, rejects, title.capitalize())
    return reviews


def _held_out(settings: Settings, reviews: Reviews, around: Surroundings) -> Separated | None:
    """The reviews of --holdout, told about, and the others without them."""
    if settings.holdout is None:
        return None
    holdout = read_reviews(
        settings.holdout, around.models, around.narrator, settings.keep_ratings, "holdout"
    )
    held_out = separate(reviews, holdout, settings.split)
    around.narrator.say(f"  {held_out.summary()}")
    return held_out


def _fitted(
    recipe: Recipe, encoder: Encoder, tokenizer: PreTrainedTokenizerBase, narrator: Narrator
) -> Recipe:
    """The recipe as far as the encoder can follow it, told where that is not all the way."""
    fitted = recipe.for_encoder(encoder.positions, encoder.mask_id(tokenizer) is not None)
    if fitted.max_tokens < recipe.max_tokens:
        narrator.say(f"It reads {fitted.max_tokens:,} tokens at once: longer reviews are cut.")
    if replace(fitted, max_tokens=recipe.max_tokens) != recipe:
        narrator.say("Its words have no [MASK]: none are hidden, and it stays as it is at first.")
    return fitted


def _choose(
    settings: Settings,
    reviews: Reviews,
    held_out: Separated | None,
    encoder: Encoder,
    tokenizer: PreTrainedTokenizerBase,
    around: Surroundings,
    run: UnfinishedRun,
) -> tuple[Parts, int]:
    """The rows of each part, and how many mixed reviews to train on besides.

    Chosen once, by the first process: the same for the others, and when resumed.
    """
    recipe, holdout = settings.recipe, held_out.holdout.rows if held_out else None
    if settings.split_of is not None:
        split = Registry(around.models).get(settings.split_of).split()
        parts = restore_split(reviews.rows, split, holdout)
        needed = recipe.mixed_for(len(parts.train))
        return parts, needed if settings.mixed is None else settings.mixed
    if around.group.is_first and run.choices() is None:
        rows, most = reviews.rows, math.inf
        if settings.limit is not None and settings.limit < len(rows):
            rows = stratified_subset(rows, settings.limit, settings.seed)
        if settings.minutes is not None:
            judging = None if holdout is None else len(holdout)
            fitting = _fitting(
                settings.minutes, rows, judging, settings, encoder, tokenizer, around
            )
            most = max(0, fitting - len(rows))
            if fitting < len(rows):
                rows = stratified_subset(rows, fitting, settings.seed)
        parts = split_reviews(rows, by=settings.split, seed=settings.seed, holdout=holdout)
        mixed = int(min(recipe.mixed_for(len(parts.train)), most))
        run.choose({"parts": parts.ids(), "mixed": mixed})
    around.group.wait()
    chosen = run.choices()
    assert chosen is not None
    return restore_split(reviews.rows, chosen["parts"], holdout), chosen["mixed"]


def _fitting(
    minutes: float,
    rows: Dataset,
    held_out: int | None,
    settings: Settings,
    encoder: Encoder,
    tokenizer: PreTrainedTokenizerBase,
    around: Surroundings,
) -> int:
    """How many reviews can be trained on in so many minutes, told where that is not all."""
    recipe = settings.recipe
    if recipe.mixed_for(len(rows)):
        recipe = recipe.for_mixed()
    timed = stratified_subset(rows, min(_TIMED_REVIEWS, len(rows)), settings.seed)
    sample = labelled_part(timed, timed["text"], tokenizer, recipe, around.cache)
    each = minutes / settings.seeds
    fitting = reviews_within(each, encoder, recipe, sample, held_out) * around.group.size
    if fitting < len(rows):
        around.narrator.warn(
            f"  {fitting:,} of {len(rows):,} reviews fit into {minutes:g} minutes on this machine: "
            "training on a stratified subset. `make train` trains on all of them."
        )
    return fitting


def _tokenized(
    parts: Parts,
    training_rows: Dataset,
    encoder: Encoder,
    tokenizer: PreTrainedTokenizerBase,
    recipe: Recipe,
    cache: Path,
) -> Data:
    training, validation, holdout = (
        labelled_part(rows, rows["text"], tokenizer, recipe, cache, to_train=rows is training_rows)
        for rows in (training_rows, parts.validation, parts.holdout)
    )
    as_written = tokenize_cached(
        parts.holdout["content"], tokenizer, recipe.max_tokens, recipe.head_share, cache
    )
    return Data(training, validation, holdout, as_written, encoder.mask_id(tokenizer))


def _training(
    settings: Settings,
    reviews: Reviews,
    extra: Extra | None,
    counts: dict[str, dict[str, int]],
    encoder: Encoder,
    pair: dict[str, Trained],
    around: Surroundings,
) -> dict[str, Any]:
    """training.json: where all of it came from."""
    return {
        "reviews": {
            "source": reviews.source,
            "reason": reviews.reason,
            "fingerprint": reviews.fingerprint,
            "counts": reviews.counts,
            "parts": counts,
        },
        **({} if extra is None else {"extra": extra.counts, "split_of": settings.split_of}),
        "split": settings.split,
        "keep_ratings": settings.keep_ratings,
        "encoder": {
            "name": encoder.name,
            "origin": encoder.origin,
            "stand_in": encoder.stand_in,
        },
        "recipe": asdict(settings.recipe),
        "adaptation": pair["cls"].adaptation,
        "seed": settings.seed,
        "seeds": settings.seeds,
        "seconds": {
            name: sum(epoch["seconds"] for epoch in trained.history)
            for name, trained in pair.items()
        },
        **surroundings(around.group.device),
    }


def _arithmetic(recipe: Recipe, group: Group) -> str:
    name = str(recipe.dtype(group.device)).removeprefix("torch.")
    where = "the GPU" if group.device.type == "cuda" else "the CPU"
    line = f"Arithmetic: {name} on {where}"
    if recipe.notebook:
        return f"{line}, as in the notebook."
    return f"{line}." if "bfloat16" in name else f"{line}: it has no bfloat16 instructions."
