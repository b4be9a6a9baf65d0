"""Both poolings in a process that is not the first of its group."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from rich.console import Console
from torch import nn

from classifier.training.both_poolings import BothPoolings
from classifier.training.checkpoint import RunFolder
from classifier.training.console import CommandConsole
from classifier.training.distributed import Group
from classifier.training.parts import Part, TokenizedParts
from classifier.training.recipe import Recipe
from classifier.training.settings import RunContext, Settings


@dataclass(frozen=True)
class Second(Group):
    """The second process of two, without the first."""

    def replicate(self, model: nn.Module) -> nn.Module:
        return model

    def total(self, values: torch.Tensor) -> torch.Tensor:
        return values + 1  # what the first one counted

    def wait(self) -> None:
        pass


def test_another_process_needs_no_file_of_the_first_ones(
    tmp_path: Path,
    tiny_encoder: Path,
    tiny_recipe: Recipe,
    make_part: Callable[..., Part],
    keep_default_rng: None,
) -> None:
    # A retraining's folder is each process's own; DDP gives it the first one's weights.
    part = make_part(32)
    console = CommandConsole(Console(quiet=True))
    training = BothPoolings(
        settings=Settings("reviews", "encoder", replace(tiny_recipe, epochs=1)),
        context=RunContext(tmp_path, tmp_path, Second(1, 2, torch.device("cpu")), console),
        encoder=tiny_encoder,
        parts=TokenizedParts(part, part, part, part.tokens),
        folder=RunFolder(tmp_path),
    )
    assert training.train(seed=0) == {}
    assert not list(tmp_path.iterdir())
