"""`leaderboard` with tiny encoders: what it tells, a kill in the middle, and encoders that fail."""

import json
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from classifier.data.hub import DEFAULT_ENCODER
from classifier.modeling import encoders
from tests.classifier.command_line import PATIENCE, CommandLine

EncoderOf = Callable[[str], Path]
MakeRows = Callable[..., list[dict[str, Any]]]
SMALL = ("--max-tokens", "32", "--epochs", "1")


@pytest.fixture
def line(tmp_path: Path, tiny_encoder: Path, make_rows: MakeRows) -> CommandLine:
    line = CommandLine(tmp_path, tiny_encoder)
    rows = (json.dumps(row, ensure_ascii=False) + "\n" for row in make_rows(120))
    (line.folder / "reviews.jsonl").write_text("".join(rows), encoding="utf-8")
    return line


def board_of(*names: object) -> list[str]:
    named = [part for name in names for part in ("--encoder", str(name))]
    return ["leaderboard", *named, "--reviews", "reviews.jsonl", *SMALL, "--json", "board.json"]


@pytest.mark.slow
def test_four_families_and_three_that_fail(
    line: CommandLine, encoder_of: EncoderOf, tiny_encoder: Path
) -> None:
    taken = [tiny_encoder, *(encoder_of(name) for name in ("roberta", "modernbert", "t5"))]
    empty = line.folder / "empty"
    empty.mkdir()
    command = board_of(*taken, encoder_of("gpt2"), empty, "someone/some-bert", tiny_encoder)
    status, out, err = line.here(*command, "--seeds", "2")
    assert status == 1
    assert "3 of 7 encoders failed" in err
    found = json.loads((line.folder / "board.json").read_text())
    names = ["tiny", "roberta", "modernbert", "t5"]
    assert list(found["encoders"]) == names
    assert {(one["encoder"], one["pooling"]) for one in found["models"]} == {
        (name, pooling) for name in names for pooling in ("cls", "mean")
    }
    assert found["seeds"] == 2
    holdouts = [facts["holdout_ids"] for facts in found["encoders"].values()]
    assert holdouts.count(holdouts[0]) == 4, "all are judged by the same reviews"
    reasons = list(found["failed"].values())
    assert "a gpt2 reads from left to right" in reasons[0]
    assert "is no encoder: config.json, model.safetensors" in reasons[1]
    assert reasons[2] == "HF_HUB_OFFLINE is set, and it is not in the local cache."
    for facts in found["encoders"].values():
        for pooling in ("cls", "mean"):
            assert facts[pooling]["parameters"] > facts[pooling]["word_parameters"] > 0
            assert facts[pooling]["seconds"] > 0
            assert facts[pooling]["milliseconds"] > 0
    page = (line.folder / "leaderboard" / "leaderboard.html").read_text()
    links = re.findall('(?:src|href)="([^"]*)"', page)
    assert links
    assert all(link.startswith(("data:", "#")) for link in links), "it needs nothing else"
    for said in (found["overall"]["verdict"], found["dependence"]["verdict"]):
        assert said in out
        assert said.split(":")[0].split(";")[0] in page
    assert "Not on the board: 3 encoders that failed." in page


@pytest.mark.slow
def test_killed_in_the_middle_it_goes_on(
    line: CommandLine, encoder_of: EncoderOf, tiny_encoder: Path
) -> None:
    command = board_of(tiny_encoder, encoder_of("roberta"), encoder_of("electra"))
    process = line.start("-m", "classifier", *command)
    results, unfinished = (
        line.folder / "leaderboard" / name for name in ("results", ".unfinished")
    )
    ends = time.monotonic() + PATIENCE
    # One is finished, and of the next one an epoch.
    while not (list(results.glob("*.safetensors")) and list(unfinished.glob("*/cls-0.*"))):
        assert process.poll() is None
        assert time.monotonic() < ends
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    (kept,) = results.glob("*.safetensors")
    before = kept.stat().st_mtime_ns
    status, out, err = line.here(*command)
    assert status == 0, err
    assert out.count("It was measured before.") == 1
    assert "Resuming after the last whole epoch of each" in out
    assert kept.stat().st_mtime_ns == before
    assert not list(unfinished.iterdir())
    status, again, err = line.here(*command)
    assert (status, again.count("It was measured before.")) == (0, 3), err
    assert again.splitlines()[-2:] == out.splitlines()[-2:]


@pytest.mark.slow
def test_a_stand_in_never_stands_under_the_name_of_another(
    line: CommandLine, tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoders, "stand_in_folder", lambda *_: tiny_encoder)
    status, out, err = line.here(*board_of(DEFAULT_ENCODER))
    assert status == 0, err
    assert f"The figures are the stand-in's, not those of {DEFAULT_ENCODER}." in out
    found = json.loads((line.folder / "board.json").read_text())
    assert list(found["encoders"]) == [f"stand-in for {DEFAULT_ENCODER}"]
    page = (line.folder / "leaderboard" / "leaderboard.html").read_text()
    assert "has not the figures of the encoder it is named after" in page


def test_reviews_that_can_t_be_read_end_it_before_any_encoder(
    line: CommandLine, tiny_encoder: Path
) -> None:
    command = board_of(tiny_encoder)
    (line.folder / "reviews.jsonl").write_text("{}\n")
    status, out, err = line.here(*command)
    assert (status, err.count("\n")) == (1, 1)
    assert "1 of 1" not in out
