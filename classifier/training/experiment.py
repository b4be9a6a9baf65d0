"""One experiment: both poolings on the same data, seed and schedule, to a version on disk."""

import math
from dataclasses import asdict, dataclass, replace
from typing import Any

from datasets import Dataset
from transformers import PreTrainedTokenizerBase

from classifier.data.mixing import with_mixed
from classifier.data.reviews import class_counts
from classifier.data.splits import Parts, restore_split, split_reviews, stratified_subset
from classifier.data.tokenizer import load_tokenizer, stands_for_cls, tokenize_cached
from classifier.labels import NO_RATING
from classifier.modeling.classifier import PoolingClassifier
from classifier.modeling.encoders import Encoder, find_encoder
from classifier.registry.registry import Registry
from classifier.registry.version import Version
from classifier.reports.report import Holdout
from classifier.training.additional_rows import AdditionalRows
from classifier.training.both_poolings import BothPoolings, Trained
from classifier.training.budget import reviews_within
from classifier.training.checkpoint import RunFolder, run_key
from classifier.training.distributed import Group
from classifier.training.experiment_data import Data, read_data
from classifier.training.parts import Part, TokenizedParts
from classifier.training.publishing import (
    environment,
    metrics_document,
    publish,
    reference_document,
)
from classifier.training.recipe import Recipe
from classifier.training.settings import RunContext, Settings

_TIMED_REVIEWS = 256
_LEAST_REVIEWS = 60  # of a training that is limited in time: fewer can't be split in a useful way
_OF_ENCODER = ("name", "origin", "stand_in", "revision")  # that training.json keeps
_OF_REVIEWS = ("source", "reason", "fingerprint", "counts")  # that training.json keeps


def run_experiment(settings: Settings, context: RunContext, *, resume: bool) -> Version | None:
    """Train, evaluate and compare both poolings, and publish them as a version.

    Every process of the group takes part in the training; the first one alone evaluates and
    publishes, the others get None. Raises ClassifierError for what the user can correct.
    """
    experiment = prepare(settings, context, read_data(settings, context))
    work = context.work or context.models
    with RunFolder.open(work, experiment.key, context.group, resume=resume) as folder:
        if resume:
            context.console.say(folder.what_is_there())
        finished = experiment.run(folder)
        version = finished.publish() if context.group.is_first else None
        if version is not None:
            folder.finish()
    return version


def prepare(settings: Settings, context: RunContext, data: Data) -> "Experiment":
    """Load the encoder and its tokenizer, and say what was found and how it is trained."""
    console = context.console
    encoder = find_encoder(settings.encoder, context.cache)
    console.encoder(encoder.name, encoder.origin, encoder.stand_in, encoder.revision)
    tokenizer = load_tokenizer(encoder.folder)
    console.say(encoder.ways())
    first = stands_for_cls(tokenizer)
    if first != "[CLS]":
        said = f"{first}, the first token of every text," if first else "a review's first word"
        console.say(f"Its tokenizer has no [CLS] before a text: {said} stands for it.")
    wanted = settings.recipe
    recipe = wanted.for_encoder(encoder.positions, encoder.size)
    if recipe.max_tokens < wanted.max_tokens:
        console.say(f"It reads {recipe.max_tokens:,} tokens at once: longer reviews are cut.")
    if recipe.learning_rate < wanted.learning_rate:
        console.say(
            f"It is larger than rubert-tiny2: its learning rate is {recipe.learning_rate:.1e}."
        )
    return Experiment(replace(settings, recipe=recipe), context, data, encoder, tokenizer)


@dataclass(frozen=True)
class Experiment:
    """Everything that an experiment starts from."""

    settings: Settings  # with the recipe as far as the encoder can follow it
    context: RunContext
    data: Data
    encoder: Encoder
    tokenizer: PreTrainedTokenizerBase

    @property
    def key(self) -> str:
        """What a run of this experiment is found by when it is resumed."""
        return run_key(asdict(self.settings), self.data.fingerprint, self.encoder.folder.name)

    def run(self, folder: RunFolder) -> "Finished":
        """Train with every seed; only the first process has results."""
        settings, context, say = self.settings, self.context, self.context.console.say
        parts, mixed = self._choose(folder)
        context.console.parts({name: class_counts(rows) for name, rows in vars(parts).items()})
        if settings.recipe.mixed_for(len(parts.train)):  # also if there is no time to mix any
            settings = replace(settings, recipe=settings.recipe.for_mixed())
        if mixed:
            say(f"Few reviews: {mixed:,} more to train on, mixed from their sentences.")
        rows = with_mixed(parts.train, mixed, settings.seed)
        data = self.data
        additional = data.additional
        if additional is not None:
            additional = additional.apart_from(parts, settings.apart_from)
            data = replace(data, additional=additional)
            say(additional.summary())
        tokenized = self._tokenized(parts, rows, additional, settings.recipe)
        if settings.recipe.rating_head and (tokenized.training.labels.rating == NO_RATING).all():
            settings = replace(settings, recipe=replace(settings.recipe, rating_head=False))
            say("No review to train on has a rating: the models answer without one.")
        say(_arithmetic(settings.recipe, context.group))
        both = BothPoolings(settings, context, self.encoder.folder, tokenized, folder)
        by_seed = [both.train(settings.seed + number) for number in range(settings.seeds)]
        made = replace(self, settings=settings, data=data)
        return Finished(made, parts, mixed, both, by_seed)

    def training_document(
        self, parts: Parts, mixed: int, results: dict[str, Trained]
    ) -> dict[str, Any]:
        """training.json: what the version was made of."""
        settings, reviews, encoder = self.settings, self.data.reviews, self.encoder
        document: dict[str, Any] = {
            "reviews": {
                **{name: getattr(reviews, name) for name in _OF_REVIEWS},
                "parts": {name: class_counts(rows) for name, rows in vars(parts).items()},
            }
        }
        if self.data.additional is not None:
            document |= {"extra": self.data.additional.counts, "split_of": settings.split_of}
        document |= {
            "split": settings.split,
            "schema": asdict(settings.schema),
            "keep_ratings": settings.keep_ratings,
            "encoder": {name: getattr(encoder, name) for name in _OF_ENCODER},
            "recipe": asdict(settings.recipe),
            "seed": settings.seed,
            "seeds": settings.seeds,
            "seconds": {
                name: sum(epoch["seconds"] for epoch in trained.history)
                for name, trained in results.items()
            },
            **environment(self.context.group.device),
            "mixed": mixed,
        }
        return document | ({"holdout": self.data.held_out.record()} if self.data.held_out else {})

    def _choose(self, folder: RunFolder) -> tuple[Parts, int]:
        """The rows of each part, and how many mixed reviews to add to those to train on.

        Chosen once, by the first process: the same for the others, and when resumed.
        """
        settings, recipe, rows = self.settings, self.settings.recipe, self.data.reviews.rows
        holdout = self.data.held_out.holdout.rows if self.data.held_out else None
        if settings.split_of is not None:
            split = Registry(self.context.models).get(settings.split_of).split()
            parts = restore_split(rows, split, holdout)
            needed = recipe.mixed_for(len(parts.train))
            return parts, needed if settings.mixed is None else settings.mixed
        if self.context.group.is_first and folder.choices() is None:
            chosen_rows, most = rows, math.inf
            if settings.limit is not None and settings.limit < len(rows):
                chosen_rows = stratified_subset(rows, settings.limit, settings.seed)
            if settings.minutes is not None:
                fitting = self._fitting(settings.minutes, chosen_rows)
                most = max(0, fitting - len(chosen_rows))
                if fitting < len(chosen_rows):
                    chosen_rows = stratified_subset(chosen_rows, fitting, settings.seed)
            parts = split_reviews(
                chosen_rows, by=settings.split, seed=settings.seed, holdout=holdout
            )
            mixed = int(min(recipe.mixed_for(len(parts.train)), most))
            folder.choose({"parts": parts.ids(), "mixed": mixed})
        self.context.group.wait()
        chosen = folder.choices()
        assert chosen is not None
        return restore_split(rows, chosen["parts"], holdout), chosen["mixed"]

    def _fitting(self, minutes: float, rows: Dataset) -> int:
        """How many reviews can be trained on in so many minutes; says so if that is not all."""
        settings, recipe = self.settings, self.settings.recipe
        if recipe.mixed_for(len(rows)):
            recipe = recipe.for_mixed()
        timed = stratified_subset(rows, min(_TIMED_REVIEWS, len(rows)), settings.seed)
        sample = Part.of_rows(timed, self.tokenizer, recipe, self.context.cache)
        held_out = self.data.held_out
        judging = len(held_out.holdout.rows) if held_out else None
        each = minutes / settings.seeds
        fitting = reviews_within(each, self.encoder, recipe, sample, judging)
        fitting *= self.context.group.size
        least = min(_LEAST_REVIEWS, len(rows))
        if fitting < least:
            self.context.console.warn(
                f"  Only {fitting:,} of {len(rows):,} reviews fit into {minutes:g} minutes on this "
                f"machine: training on {least}, which takes longer. `make train` trains on all."
            )
            return least
        if fitting < len(rows):
            self.context.console.warn(
                f"  {fitting:,} of {len(rows):,} reviews fit into {minutes:g} minutes on this "
                "machine: training on a stratified subset. `make train` trains on all of them."
            )
        return fitting

    def _tokenized(
        self, parts: Parts, rows: Dataset, additional: AdditionalRows | None, recipe: Recipe
    ) -> TokenizedParts:
        """The parts as token ids, with `rows` and the additional ones to train on."""
        tokenizer, cache = self.tokenizer, self.context.cache
        training = Part.of_rows(rows, tokenizer, recipe, cache, to_train=True)
        if additional is not None:  # no trace of their texts is kept in the cache
            more = Part.of_rows(additional.rows, tokenizer, recipe, None, to_train=True)
            training = training + more
        return TokenizedParts(
            training,
            Part.of_rows(parts.validation, tokenizer, recipe, cache),
            Part.of_rows(parts.holdout, tokenizer, recipe, cache),
            tokenize_cached(
                parts.holdout["content"], tokenizer, recipe.max_tokens, recipe.head_share, cache
            ),
        )


@dataclass(frozen=True)
class Finished:
    """An experiment whose models are trained, and still in their checkpoints."""

    experiment: Experiment  # with the settings and the additional reviews that it was made with
    parts: Parts
    mixed: int
    both: BothPoolings
    by_seed: list[dict[str, Trained]]

    def model(self, pooling: str) -> PoolingClassifier:
        """The model of the first seed."""
        trained = self.by_seed[0][pooling]
        return self.both.model(pooling, self.experiment.settings.seed, trained)

    def publish(self) -> Version:
        """Write the first seed's models and the report as a version."""
        experiment, parts, results = self.experiment, self.parts, self.by_seed[0]
        experiment.context.console.say("Writing the report.")
        tokenized, tokenizer = self.both.parts, experiment.tokenizer
        labels = tokenized.holdout.labels
        return publish(
            Registry(experiment.context.models),
            {name: self.model(name) for name in results},
            tokenizer,
            {
                "metrics": metrics_document(labels, self.by_seed),
                "history": {name: trained.history for name, trained in results.items()},
                "split": parts.ids(),
                "training": experiment.training_document(parts, self.mixed, results),
                "reference": reference_document(
                    parts, experiment.data.additional, tokenized.training, tokenizer, results
                ),
            },
            Holdout(
                parts.holdout["text"],
                parts.holdout["movie_name"],
                labels,
                {name: trained.outputs for name, trained in results.items()},
            ),
        )


def _arithmetic(recipe: Recipe, group: Group) -> str:
    name = str(recipe.dtype(group.device)).removeprefix("torch.")
    where = "the GPU" if group.device.type == "cuda" else "the CPU"
    line = f"Arithmetic: {name} on {where}"
    if recipe.number_format == "float32":
        return f"{line}, as in the notebook."
    return f"{line}." if "bfloat16" in name else f"{line}: it has no bfloat16 instructions."
