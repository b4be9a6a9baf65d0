"""The command line with encoders of four families, from training to a retraining's decision."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.classifier.command_line import CommandLine

EncoderOf = Callable[[str], Path]
MakeRows = Callable[..., list[dict[str, Any]]]

FAMILIES = {
    "roberta": "Its tokenizer has no [CLS] before a text: <s>, the first token of every text, st",
    "modernbert": "It is no BERT (modernbert)",
    "electra": "It is no BERT (electra)",
    "t5": "no [CLS] before a text: a review's first word stands for it.",
}


def write_rows(path: Path, rows: list[dict[str, Any]]) -> Path:
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text("".join(lines), encoding="utf-8")
    return path


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_it_is_trained_answers_is_evaluated_and_retrained(
    family: str, encoder_of: EncoderOf, make_rows: MakeRows, tmp_path: Path, no_report: None
) -> None:
    line = CommandLine(tmp_path, encoder_of(family))
    reviews = write_rows(line.folder / "reviews.jsonl", make_rows(120))
    status, out, err = line.here(*line.training(reviews, "--learning-rate", "0.005"))
    assert status == 0, err
    assert FAMILIES[family] in out
    assert ("It is no BERT" in out, "Arithmetic" in out) == (True, True)
    (version,) = (path for path in line.models.iterdir() if (path / "manifest.json").exists())
    config = json.loads((version / "mean" / "config.json").read_text())
    assert config["encoder"]["model_type"] == family
    assert str(tmp_path) not in (version / "mean" / "config.json").read_text()

    others = write_rows(line.folder / "others.jsonl", make_rows(40, seed=7))
    figures = line.folder / "e.json"
    command = ("evaluate", "champion", "--reviews", str(others), "--json", str(figures))
    status, out, err = line.here(*command)
    assert status == 0, err
    assert 0 < json.loads(figures.read_text())["mean"]["accuracy"] <= 1
    status, out, err = line.here("predict", "Финал скучный, а юмор отвратительный.")
    assert (status, out.count("/10")) == (0, 2), err

    rated = write_rows(line.folder / "rated.jsonl", make_rows(30, seed=9, rated=1.0))
    decided = line.folder / "d.json"
    status, out, err = line.here("retrain", "--extra", str(rated), "--json", str(decided))
    assert status == 0, err
    assert json.loads(decided.read_text())["challenger"] != version.name


def test_an_encoder_that_can_t_be_pooled_ends_a_training_before_it_begins(
    encoder_of: EncoderOf, make_rows: MakeRows, tmp_path: Path
) -> None:
    line = CommandLine(tmp_path, encoder_of("gpt2"))
    reviews = write_rows(line.folder / "reviews.jsonl", make_rows(40))
    status, _, err = line.here(*line.training(reviews))
    assert (status, err.count("\n")) == (1, 1)
    assert "gpt2 can't be pooled: a gpt2 reads from left to right" in err
    folder = shutil.copytree(line.encoder, tmp_path / "no encoder")
    (folder / "config.json").unlink()
    line.encoder = folder
    status, _, err = line.here(*line.training(reviews))
    assert (status, "no encoder: config.json missing" in err) == (1, True)
