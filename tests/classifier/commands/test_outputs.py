"""What a command can't write is told before its work, and what it need not write it does not."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.classifier.command_line import CommandLine

Rows = list[dict[str, Any]]


@pytest.fixture
def line(tmp_path: Path, tiny_encoder: Path, two_versions: Path) -> CommandLine:
    started = CommandLine(tmp_path, tiny_encoder)
    shutil.copytree(two_versions, started.models)
    (started.folder / "a.txt").write_text("Хорошо\n")
    return started


WORK = {
    ("train", "--reviews", "sample", "--json"): "classifier.training.experiment.run_experiment",
    ("retrain", "--extra", "a.jsonl", "--json"): "classifier.training.retraining.retrain",
    (
        "evaluate",
        "champion",
        "--reviews",
        "sample",
        "--json",
    ): "classifier.commands.evaluate._scored",
    ("evaluate", "champion", "--json"): "classifier.registry.registry.Registry.get",
    ("compare", "champion", "champion", "--reviews", "sample", "--json"): (
        "classifier.registry.registry.Registry.get"
    ),
    ("predict", "Хорошо", "--json"): "classifier.registry.registry.Registry.get",
    ("predict", "--file", "a.txt", "--out"): "classifier.registry.registry.Registry.get",
    ("train", "--models"): "classifier.training.experiment.run_experiment",
    ("retrain", "--extra", "a.jsonl", "--models"): "classifier.training.retraining.retrain",
}


@pytest.mark.parametrize(
    "target", ["missing/folder/x.csv", "a folder.csv", "a.txt/x.csv", "x" * 300]
)
@pytest.mark.parametrize("command", WORK, ids=" ".join)
def test_what_can_not_be_written_is_told_before_the_work(
    command: tuple[str, ...], target: str, line: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def worked(*_: object, **__: object) -> None:
        raise AssertionError("the work has begun")

    monkeypatch.setattr(WORK[command], worked)
    (line.folder / "a folder.csv").mkdir()
    if command[-1] == "--models" and target in ("missing/folder/x.csv", "a folder.csv"):
        return  # the folder of models is made, or taken as it is
    before = sorted(line.folder.rglob("*"))
    status, out, err = line.here(*command, target)
    assert (status, out) == (1, "")
    assert err.startswith(f"Error: {target}")
    assert "can't be" in err
    assert err.count("\n") == 1
    assert sorted(line.folder.rglob("*")) == before


@pytest.mark.parametrize("errno", [28, 30, 13])  # full, read-only, no permission
@pytest.mark.parametrize("command", WORK, ids=" ".join)
def test_a_disk_that_takes_nothing_is_told_before_the_work(
    command: tuple[str, ...], errno: int, line: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: object) -> int:
        raise OSError(errno, os.strerror(errno))

    monkeypatch.setattr(Path, "write_bytes", refuses)
    status, out, err = line.here(*command, "out.csv")
    assert (status, out) == (1, "")
    assert err.startswith("Error: The disk is full" if errno == 28 else "Error: out.csv")
    assert err.count("\n") == 1


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Callable[[Path], None]]:
    """`read_only(folder)`: nothing can be written into the folder any more."""
    mounted: list[Path] = []

    def protect(folder: Path) -> None:
        if os.geteuid():
            for path in [folder, *folder.rglob("*")]:
                path.chmod(0o555 if path.is_dir() else 0o444)
            return
        for options in (["--bind", str(folder)], ["-o", "remount,bind,ro"]):
            command = ["mount", *options, str(folder)]
            if subprocess.run(command, capture_output=True, check=False).returncode:
                pytest.skip("root writes everywhere, and can't mount here")
            if folder not in mounted:
                mounted.append(folder)

    yield protect
    for folder in mounted:
        subprocess.run(["umount", str(folder)], check=True)
    if os.geteuid():
        for path in tmp_path.rglob("*"):
            path.chmod(0o755)


READING = (
    ("models", "list"),
    ("models", "card"),
    ("evaluate", "champion"),
    ("evaluate", "champion", "--reviews", "../reviews.jsonl"),
    ("compare", "champion", "champion", "--reviews", "../reviews.jsonl"),
    ("predict", "Хорошо"),
)


@pytest.mark.slow
@pytest.mark.parametrize("cached", [False, True])
def test_what_only_reads_works_on_a_read_only_disk(
    cached: bool,
    tmp_path: Path,
    tiny_encoder: Path,
    trained_on_few: Path,
    make_rows: Callable[[int], Rows],
    read_only: Callable[[Path], None],
) -> None:
    line = CommandLine(tmp_path, tiny_encoder)
    shutil.copytree(trained_on_few / "models", line.models)
    rows = [{"content": "", "grade3": "Good"}, *make_rows(40)]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (line.folder.parent / "reviews.jsonl").write_text(lines)
    (line.models / "reviews.jsonl.rejected.jsonl").write_text("of a training\n")
    if cached:
        (line.folder / "cache" / "tokens").mkdir(parents=True)
    read_only(line.folder)
    for command in READING:
        status, out, err = line.here(*command)
        assert (status, err) == (0, ""), command
        if "--reviews" in command:
            assert "1 rows can't be used; row 1, the first: " in out
    kept = (line.models / "reviews.jsonl.rejected.jsonl").read_text()
    assert kept == "of a training\n"
