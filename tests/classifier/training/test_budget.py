"""`--minutes`: as many reviews as fit, and a word about it."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from classifier.errors import ClassifierError
from classifier.modeling.encoders import Encoder
from classifier.training import budget, experiment
from classifier.training.budget import reviews_within
from classifier.training.console import CommandConsole
from classifier.training.distributed import Group
from classifier.training.experiment import run_experiment
from classifier.training.parts import Part
from classifier.training.recipe import DEFAULT, NOTEBOOK, Recipe, recipe_of
from classifier.training.settings import RunContext, Settings

Rows = list[dict[str, Any]]


@pytest.fixture
def encoder(tiny_encoder: Path) -> Encoder:
    return Encoder("tiny", tiny_encoder, "the folder tiny")


@pytest.fixture
def part(make_part: Callable[..., Part], monkeypatch: pytest.MonkeyPatch) -> Part:
    """Reviews of which each takes 0.05 s."""
    monkeypatch.setattr(budget, "_seconds_per_review", lambda *_: 0.05)
    return make_part(80)


def test_more_minutes_take_proportionally_more_reviews(
    encoder: Encoder, tiny_recipe: Recipe, part: Part
) -> None:
    five = reviews_within(5, encoder, tiny_recipe, part)
    assert reviews_within(10, encoder, tiny_recipe, part) == pytest.approx(2 * five, abs=1)
    # Six epochs over four fifths of the rows, 0.05 s each: 300 s of training alone would take
    # 1,250 reviews; validation and the holdout need their share.
    assert 0.8 * 1250 < five < 1250


def test_a_holdout_of_its_own_takes_its_time(
    encoder: Encoder, tiny_recipe: Recipe, part: Part
) -> None:
    none, some, more = (reviews_within(5, encoder, tiny_recipe, part, n) for n in (0, 100, 200))
    assert none > some > more
    assert none - some == pytest.approx(some - more, abs=1)
    # As many as a tenth of all: the rest is what a split of them would train and validate on.
    whole = reviews_within(5, encoder, tiny_recipe, part)
    tenth = reviews_within(5, encoder, tiny_recipe, part, round(whole / 10))
    assert tenth == pytest.approx(0.9 * whole, rel=0.02)
    with pytest.raises(ClassifierError, match="To judge by 99,999 held-out reviews takes"):
        reviews_within(5, encoder, tiny_recipe, part, 99_999)


def test_the_speed_is_measured_on_real_steps(
    encoder: Encoder, tiny_recipe: Recipe, make_part: Callable[..., Part]
) -> None:
    found = reviews_within(1, encoder, tiny_recipe, make_part(80))
    assert 20 < found < 1_000_000  # a tiny encoder, on whatever machine this is


def test_few_reviews_are_mixed_into_more(tiny_recipe: Recipe) -> None:
    recipe = replace(tiny_recipe, least_steps=300)  # three epochs in batches of 8
    assert [recipe.mixed_for(rows) for rows in (10_000, 800, 700, 100)] == [0, 0, 100, 700]
    assert NOTEBOOK.mixed_for(100) == 0


def test_an_encoder_is_not_asked_for_more_than_it_reads() -> None:
    assert DEFAULT.for_encoder(positions=2048) == DEFAULT
    assert DEFAULT.for_encoder(512) == replace(DEFAULT, max_tokens=512)
    wide = DEFAULT.for_encoder(512, size=12 * 768)
    assert wide.learning_rate == pytest.approx(4e-4 * 936 / 9216)
    assert wide.for_encoder(512, size=12 * 768) == wide, "it is lowered once"
    assert DEFAULT.for_encoder(2048, size=3 * 312) == DEFAULT
    chosen = DEFAULT.changed(learning_rate=1e-3)
    assert chosen.for_encoder(2048, size=12 * 768) == chosen
    assert recipe_of({"name": "default", "learning_rate": 4e-4}).rate_for == 0


@pytest.mark.parametrize("rows", [1, 9, 16])
def test_so_few_reviews_that_one_batch_takes_them_all_can_be_timed(
    rows: int, encoder: Encoder, tiny_recipe: Recipe, make_part: Callable[..., Part]
) -> None:
    recipe = replace(tiny_recipe, batch_size=16)
    assert reviews_within(1, encoder, recipe, make_part(rows)) > 20


@pytest.mark.parametrize(
    ("fitting", "told", "mixed"),
    [(7, True, 0), (60, True, 0), (10_000, False, 200), (250, False, 100)],
)
def test_a_stratified_subset_is_taken_where_not_all_fit(
    fitting: int,
    told: bool,
    mixed: int,
    tmp_path: Path,
    tiny_encoder: Path,
    tiny_recipe: Recipe,
    make_rows: Callable[[int], Rows],
    alone: Group,
    no_report: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(experiment, "reviews_within", lambda *_: fitting)
    file = tmp_path / "reviews.jsonl"
    lines = (json.dumps(row, ensure_ascii=False) for row in make_rows(150))
    file.write_text("\n".join(lines), encoding="utf-8")
    said = io.StringIO()
    context = RunContext(
        tmp_path / "models",
        tmp_path / "cache",
        alone,
        CommandConsole(Console(file=said, width=200)),
    )
    recipe = replace(tiny_recipe, least_steps=120)
    settings = Settings(str(file), str(tiny_encoder), recipe, minutes=5)
    version = run_experiment(settings, context, resume=False)
    assert version is not None
    line = f"{fitting} of 150 reviews fit into 5 minutes on this machine"
    assert (line in said.getvalue() and "`make train`" in said.getvalue()) is told
    rows = sum(len(ids) for ids in version.split().values())
    assert rows == min(max(fitting, 60), 150)  # fewer than 60 teach nothing
    # 120 steps in batches of 8 are 3 epochs over 320 reviews, of which 120 are there.
    assert version.training()["mixed"] == mixed
    # With time to mix some or without: it is the recipe that was timed.
    recipe_of_few = version.training()["recipe"]
    assert (recipe_of_few["class_power"], recipe_of_few["averaging"]) == (0, True)
    assert (f"Few reviews: {mixed} more to train on" in said.getvalue()) is (mixed > 0)
