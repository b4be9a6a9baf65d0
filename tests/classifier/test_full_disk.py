"""The command line where the disk is full: one sentence, nothing half written, and then room."""

import json
import re
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from classifier.registry.registry import Registry
from tests.classifier.command_line import CommandLine
from tests.tiny import publish_trained

Rows = list[dict[str, Any]]


def full(target: str, then: str = "try again") -> str:
    return (
        f"Error: The disk is full: nothing was written to {target}; free some space and {then}.\n"
    )


def leave(disk: Path, kibibytes: int) -> Path:
    """Fill `disk` up to so much; gives the file to remove for more room."""
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(shutil.disk_usage(disk).free - kibibytes * 1024))
    return ballast


def write_rows(path: Path, rows: Rows) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture(scope="module")
def line(
    tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Path, make_rows: Callable[[int], Rows]
) -> CommandLine:
    """In a folder with a champion and the reviews it is from."""
    line = CommandLine(tmp_path_factory.mktemp("trained"), tiny_encoder)
    (line.folder / "encoder").symlink_to(tiny_encoder)
    publish_trained(line.folder, make_rows(120), epochs=1)
    return line


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kibibytes", "moment", "unwritten", "again"),
    [
        (8, "─┘", r"cache/tokens/\w+\.safetensors", ()),
        (400, "Training with cls", r"models/\.unfinished/\w+/cls-0\.safetensors", ()),
        (1800, "Writing the report", "models", ("--resume",)),
    ],
)
def test_a_training_meets_a_full_disk(
    kibibytes: int,
    moment: str,
    unwritten: str,
    again: tuple[str, ...],
    small_disk: Path,
    tiny_encoder: Path,
    make_rows: Callable[[int], Rows],
) -> None:
    line = CommandLine(small_disk, tiny_encoder)
    line.environment["KINORATE_CACHE"] = "cache"
    reviews = write_rows(line.folder / "reviews.jsonl", make_rows(120))
    ballast = leave(small_disk, kibibytes)
    run = line.run if again else line.here  # one in its own process
    status, out, err = run(*line.training(reviews))
    assert status == 1, err
    assert re.fullmatch(full(unwritten, then="go on with --resume"), err)
    assert moment in out.splitlines()[-1]
    registry = Registry(line.models)
    assert (registry.versions(), registry.champion()) == ([], None)
    assert not [path for path in line.folder.rglob("*") if "tmp" in path.name or ".st" in path.name]
    ballast.unlink()
    status, out, err = line.here(*line.training(reviews, *again))
    assert status == 0, err
    assert ("adapted-0, cls-0, mean-0." in out) is bool(again)
    assert registry.champion() is not None


@pytest.mark.slow
def test_predictions_meet_a_full_disk(line: CommandLine, small_disk: Path) -> None:
    command = ("predict", "--file", "reviews.jsonl", "--out", str(small_disk / "out.csv"))
    ballast = leave(small_disk, 0)
    assert line.run(*command) == (1, "", full(str(small_disk / "out.csv")))
    assert list(small_disk.iterdir()) == [ballast]
    ballast.unlink()
    status, _, err = line.here(*command)
    assert status == 0, err
    assert len((small_disk / "out.csv").read_text().splitlines()) == 121


@pytest.mark.slow
def test_figures_meet_a_full_disk(line: CommandLine, small_disk: Path) -> None:
    command = ("evaluate", "champion", "--reviews", "reviews.jsonl", "--json")
    ballast = leave(small_disk, 0)
    status, out, err = line.run(*command, str(small_disk / "e.json"))
    assert (status, err) == (1, full(str(small_disk / "e.json")))
    assert "difference shown" in out  # what it read was not lost
    assert list(small_disk.iterdir()) == [ballast]
    ballast.unlink()
    status, _, err = line.here(*command, str(small_disk / "e.json"))
    assert status == 0, err
    assert json.loads((small_disk / "e.json").read_text())["cls"]["rows"] > 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_answers_meet_a_full_disk(line: CommandLine) -> None:
    status, out, err = line.here("predict", "Хорошо", "--json", "/dev/full")
    assert (status, err) == (1, full("/dev/full"))
    assert "CLS" in out
    for unbuffered in ("", "1"):  # written at the end, or at once
        outcome = (1, "", full("the standard output"))
        assert listed(line, unbuffered, ">/dev/full") == outcome


def test_who_reads_may_have_enough(line: CommandLine) -> None:
    assert listed(line, "", "| true") == (0, "", "")


def listed(line: CommandLine, unbuffered: str, to: str) -> tuple[int, str, str]:
    """Status, output and errors of a shell in which `models list` goes to somewhere."""
    listing = f"{shlex.quote(sys.executable)} -m classifier models list"
    script = f"PYTHONUNBUFFERED={unbuffered} {listing} {to}"
    shell = ("-c", "import os, sys; os.execv('/bin/sh', ['sh', '-c', sys.argv[1]])", script)
    return line.run(python=shell)
