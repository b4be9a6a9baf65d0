"""`train --holdout`: judged by a file of its own, of which nothing is learnt."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from classifier.data.holdout import Separated, separate
from classifier.data.reviews import load_reviews, text_digest
from classifier.data.splits import By
from classifier.errors import ClassifierError
from classifier.files import write_json
from classifier.registry.provenance import holdout_of, learnt_by
from classifier.registry.registry import Registry
from classifier.registry.version import Version
from classifier.training.both_poolings import BothPoolings
from tests import tiny
from tests.classifier.command_line import CommandLine

Rows = list[dict[str, Any]]


def write(file: Path, rows: Rows) -> Path:
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return file


def numbered(rows: Rows) -> Rows:
    """With ids from 0 on, as two files have that know nothing of each other."""
    return [row | {"review_id": number} for number, row in enumerate(rows)]


def apart(folder: Path, rows: Rows, held_out: Rows, by: By = "random") -> Separated:
    reviews, holdout = write(folder / "reviews.jsonl", rows), write(folder / "test.jsonl", held_out)
    return separate(load_reviews(str(reviews)), load_reviews(str(holdout)), by)


def test_what_stands_in_both_is_left_out(tmp_path: Path) -> None:
    rows, held_out = numbered(tiny.make_rows(60)), numbered(tiny.make_rows(30, seed=5))
    same, near, edited = held_out[0], held_out[1], held_out[2]
    rows[40] |= {"content": same["content"].upper()}
    rows[41] |= {"content": near["content"] + " Ну и ну."}
    # Its own id in both files, and twice as long as it was: no near duplicate any more.
    rows[2] |= {"content": edited["content"] + tiny.make_rows(1, seed=9)[0]["content"] * 2}
    # That of another review, in which a phrase is the same: a namesake.
    rows[3] |= {"content": f"{rows[3]['content']} {held_out[3]['content'].split('.')[0]}"}
    found = apart(tmp_path, rows, held_out)
    assert found.left_out == {"in_both": 3, "of_its_films": 0}
    assert set(map(str, range(60))) - set(found.rest.rows["review_id"]) == {"2", "40", "41"}
    assert found.summary() == (
        "Held out: all 30 of them; 3 reviews that stand there too are left out of training."
    )
    record = found.record()
    assert record["fingerprint"] == load_reviews(record["source"]).fingerprint
    assert set(record["same_ids"]) == set(map(str, range(30))) - {"2"}


def test_split_by_film_no_film_of_the_holdout_is_left(tmp_path: Path) -> None:
    rows, held_out = tiny.make_rows(120), tiny.make_rows(30, seed=5)  # of the first 30's films
    rows[50]["content"] = held_out[0]["content"]
    rows[51]["movie_name"] = held_out[0]["movie_name"]
    found = apart(tmp_path, rows, held_out, by="film")
    assert found.left_out == {"in_both": 1, "of_its_films": 31}
    assert not {*found.rest.rows["movie_name"]} & {*found.holdout.rows["movie_name"]}
    assert "31 more that are about its films" in found.summary()
    nameless = [row | {"movie_name": None} for row in held_out]
    with pytest.raises(ClassifierError, match=r"test\.jsonl names no films"):
        apart(tmp_path, rows, nameless, by="film")


def test_a_review_is_told_from_its_namesake_in_the_holdout(
    tmp_path: Path,
) -> None:
    rows, held_out = numbered(tiny.make_rows(20)), numbered(tiny.make_rows(20, seed=5))
    found = apart(tmp_path, rows, held_out)
    version = Version(tmp_path)
    ids = found.rest.rows["review_id"]
    write_json(tmp_path / "split.json", {"train": ids[:15], "validation": ids[15:18]})
    write_json(tmp_path / "training.json", {"holdout": found.record()})
    assert learnt_by(version, found.rest.rows) == [True] * 18 + [False] * 2
    assert learnt_by(version, found.holdout.rows.select([3, 7])) == [False, False]
    write_json(tmp_path / "training.json", {})  # of a version that was trained without it
    assert learnt_by(version, found.rest.rows) == [True] * 18 + [False] * 2


def test_the_holdout_of_a_version_has_to_be_as_it_was(tmp_path: Path) -> None:
    version = Version(tmp_path)
    write_json(tmp_path / "training.json", {"keep_ratings": False})
    assert holdout_of(version) is None
    found = apart(tmp_path, tiny.make_rows(40), tiny.make_rows(20, seed=5))
    training = {"keep_ratings": False, "holdout": found.record()}
    write_json(tmp_path / "training.json", training)
    again = holdout_of(version)
    assert again is not None
    assert again.rows["review_id"] == found.holdout.rows["review_id"]
    write(tmp_path / "test.jsonl", tiny.make_rows(21, seed=5))
    with pytest.raises(ClassifierError, match=rf"test\.jsonl has changed since {version.name} was"):
        holdout_of(version)
    (tmp_path / "test.jsonl").unlink()
    with pytest.raises(
        ClassifierError, match=rf"{version.name} was judged by can't be had: .*no such"
    ):
        holdout_of(version)


@pytest.mark.parametrize(
    ("held_out", "said"),
    [
        (tiny.make_rows(9, seed=5), "has 9 usable rows; at least 10 are needed to judge by"),
        (tiny.make_rows(60, seed=5)[::5], "are of one sentiment"),
        (tiny.make_rows(40), "Nothing is left to train on: all 40 usable rows of"),
        (tiny.make_rows(37), "has 3 usable rows; at least"),
        ([], "is empty"),
        (None, "no such file"),
    ],
)
def test_a_bad_holdout_is_one_sentence(
    held_out: Rows | None, said: str, tmp_path: Path, tiny_encoder: Path
) -> None:
    line = CommandLine(tmp_path, tiny_encoder)
    reviews = write(line.folder / "reviews.jsonl", tiny.make_rows(40))
    if held_out is not None:
        # Where it is the grade that is one, it has to be the same for all.
        same = [row | {"grade3": "Bad", "grade10": None} for row in held_out]
        write(line.folder / "test.jsonl", same if "one sentiment" in said else held_out)
    status, _, err = line.here(*line.training(reviews, "--holdout", "test.jsonl"))
    assert status == 1
    assert err.startswith("Error: ")
    assert said in err
    assert len(err.strip().splitlines()) == 1, err


class _StoppedError(Exception):
    """Instead of a training: what it would train on has been chosen by then."""


def chosen(line: CommandLine, reviews: Path, *more: str) -> dict[str, dict[str, list[str]]]:
    """The ids in each part of every unfinished run, after one more, stopped before it trains."""
    stopped = patch.object(BothPoolings, "train", side_effect=_StoppedError)
    with stopped, pytest.raises(_StoppedError):
        line.here(*line.training(reviews, *more))
    runs = line.models.glob(".unfinished/*/choices.json")
    return {file.parent.name: json.loads(file.read_bytes())["parts"] for file in runs}


def test_a_subset_of_the_reviews_and_all_of_the_holdout(tmp_path: Path, tiny_encoder: Path) -> None:
    line = CommandLine(tmp_path, tiny_encoder)
    rows = tiny.make_rows(120)
    reviews = write(line.folder / "reviews.jsonl", rows)
    write(line.folder / "test.jsonl", tiny.make_rows(30, seed=5))
    options = ("--holdout", "test.jsonl", "--split", "film", "--limit", "60", "--seeds", "2")
    (first,) = chosen(line, reviews, *options).values()
    assert {name: len(ids) for name, ids in first.items()} == {
        "train": 54,
        "validation": 6,
        "holdout": 30,
    }
    films = {text_digest(row["content"]): row["movie_name"] for row in rows}
    held_out = {row["movie_name"] for row in tiny.make_rows(30, seed=5)}
    for part in ("train", "validation"):
        assert not {films[review_id] for review_id in first[part]} & held_out
    assert chosen(line, reviews, *options, "--resume") == chosen(line, reviews, *options)
    # Another holdout under the same name makes another run.
    write(line.folder / "test.jsonl", tiny.make_rows(31, seed=5))
    both = chosen(line, reviews, *options, "--resume")
    assert sorted(len(parts["holdout"]) for parts in both.values()) == [30, 31]


@pytest.fixture(scope="module")
def trained(
    tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Path
) -> tuple[CommandLine, str]:
    """A champion whose reviews and holdout have the same ids, and nothing in common but two."""
    line = CommandLine(tmp_path_factory.mktemp("held out"), tiny_encoder)
    rows, held_out = tiny.make_rows(120), tiny.make_rows(38, seed=5)
    reviews = write(line.folder / "reviews.jsonl", numbered(rows))
    write(line.folder / "test.jsonl", numbered([*held_out, *rows[70:72]]))
    with patch("classifier.training.publishing.write_report"):
        status, out, err = line.here(*line.training(reviews, "--holdout", "test.jsonl"))
    assert status == 0, err
    return line, out


@pytest.mark.slow
def test_a_version_is_judged_by_all_of_the_holdout(trained: tuple[CommandLine, str]) -> None:
    line, out = trained
    assert "Holdout: the file test.jsonl." in out
    assert "all 40 of them; 2 reviews that stand there too are left out of training" in out
    version = Registry(line.models).get("champion")
    assert version.metrics()["cls"]["rows"] == 40
    split = version.split()
    assert {name: len(ids) for name, ids in split.items()} == {
        "train": 106,
        "validation": 12,
        "holdout": 40,
    }
    assert not {"70", "71"} & {*split["train"], *split["validation"]}
    record = version.training()["holdout"]
    assert (record["source"], record["counts"]["kept"]) == ("test.jsonl", 40)
    assert "the file test.jsonl: 40 reviews" in (version.path / "README.md").read_text("utf-8")
    _, out, _ = line.here("models", "list")
    assert "118 reviews.jsonl" in out


@pytest.mark.slow
def test_evaluate_takes_no_review_for_its_namesake(trained: tuple[CommandLine, str]) -> None:
    line, _ = trained
    rows = (line.folder / "test.jsonl").read_text("utf-8").splitlines()
    (line.folder / "some.jsonl").write_text("\n".join(rows[:20]), "utf-8")
    for source, seen in {"test.jsonl": 0, "some.jsonl": 0, "reviews.jsonl": 118}.items():
        of_file = ("evaluate", "champion", "--reviews", source, "--json", "e.json")
        status, out, err = line.here(*of_file)
        assert status == 0, err
        figures = json.loads((line.folder / "e.json").read_text())
        assert figures["trained_on"] == seen
        assert ("flatter" in out) is (seen > 0)


@pytest.mark.slow
def test_published_figures_are_those_that_evaluate_finds(trained: tuple[CommandLine, str]) -> None:
    line, _ = trained
    status, _, err = line.here(
        "evaluate", "champion", "--reviews", "test.jsonl", "--json", "same.json"
    )
    assert status == 0, err
    found = json.loads((line.folder / "same.json").read_text())
    published = Registry(line.models).get("champion").metrics()
    for part in ("cls", "mean", "comparison"):
        assert found[part] == published[part]


@pytest.mark.slow
def test_a_challenger_is_judged_by_the_same_holdout(
    trained: tuple[CommandLine, str], no_report: None, make_rows: Callable[..., Rows]
) -> None:
    line, _ = trained
    write(line.folder / "extra.jsonl", make_rows(20, seed=7))
    retrain = ("retrain", "--extra", "extra.jsonl", "--json", "decision.json")
    status, _, err = line.here(*retrain)
    assert status == 0, err
    decision = json.loads((line.folder / "decision.json").read_text())
    assert decision["holdout_rows"] == 40
    registry = Registry(line.models)
    champion, challenger = registry.get("champion"), registry.get(decision["challenger"])
    assert challenger.split() == champion.split()
    assert challenger.training()["holdout"] == champion.training()["holdout"]
    whole = (line.folder / "test.jsonl").read_bytes()
    write(line.folder / "test.jsonl", numbered(make_rows(40, seed=6)))  # the ids are the same
    status, _, err = line.here(*retrain)
    assert (status, "test.jsonl has changed since" in err) == (1, True), err
    (line.folder / "test.jsonl").write_bytes(whole)
