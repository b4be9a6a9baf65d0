"""What an experiment is to be, and where it runs."""

from dataclasses import dataclass
from pathlib import Path

from classifier.data.schema import DEFAULT, Schema
from classifier.data.splits import By
from classifier.training.console import CommandConsole
from classifier.training.distributed import Group
from classifier.training.recipe import Recipe


@dataclass(frozen=True)
class Settings:
    """What an experiment is to be; equal settings on equal reviews are the same run."""

    reviews: str
    encoder: str
    recipe: Recipe
    split: By = "random"
    schema: Schema = DEFAULT  # of the files of reviews and of the holdout
    keep_ratings: bool = False
    split_of: str | None = None  # take the parts of this version instead of splitting anew
    holdout: str | None = None  # a file of reviews to judge by, instead of a tenth of the others
    extra: str | None = None  # a file of additional reviews to train on
    apart_from: str | None = None  # a file of reviews: nothing like them is trained on
    mixed: int | None = None  # with split_of, so many mixed reviews; by default what is needed
    limit: int | None = None
    minutes: float | None = None  # take as many reviews as train in about that time
    seed: int = 0
    seeds: int = 1


@dataclass(frozen=True)
class RunContext:
    """Where an experiment reads and writes, with which processes, and what it prints on."""

    models: Path
    cache: Path
    group: Group
    console: CommandConsole
    work: Path | None = None  # where unfinished runs are kept; among the models by default
