"""Whatever is written meets a full disk: one sentence, nothing half written, and then room."""

import errno
import importlib.metadata
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import SafetensorError
from safetensors.numpy import save_file
from transformers import PreTrainedTokenizerBase

from bot.storage.backups import Backups
from classifier.data.tokenizer import tokenize_cached
from classifier.errors import ClassifierError
from classifier.files import new_folder, write_json, write_text
from classifier.modeling import stand_in
from classifier.modeling.classifier import PoolingClassifier
from classifier.registry.registry import Registry
from classifier.serving.bulk_source import BATCH
from classifier.training.checkpoint import Checkpoint, History
from classifier.training.optimization import optimization
from classifier.training.recipe import DEFAULT
from db.address import DatabaseError
from tests.classifier.command_line import CommandLine
from tests.classifier.serving.invented_predictions import jsonl, names, run
from tests.classifier.small_versions import leftovers, publish
from tests.tiny import publish_trained

Rows = list[dict[str, Any]]


NewModel = Callable[..., PoolingClassifier]
TEXTS = ["Прекрасный фильм.", "Скучно и долго.", "Шедевр!"]
HISTORY: History = [{"epoch": 1.0, "train_loss": 0.1 + 0.2, "seconds": 1e-9}]


@dataclass(frozen=True)
class Case:
    """Something that is written in one folder, where an earlier thing of its kind may stand."""

    # Is told how many waits for the disk succeeded before one failed; checks what was there.
    write: Callable[[int], object]
    target: str  # as the sentence names it, a regular expression
    waits: int = 2  # for the disk, at least: for the content of a file, and for its name
    name_last: bool = True  # where that is the last wait, the file is there as a whole
    error: type[Exception] = ClassifierError
    sentence: str = "disk is full: nothing was written to .*{}"


def text(folder: Path) -> Case:
    write_text(folder / "report.html", "an earlier report")
    return Case(lambda _: write_text(folder / "report.html", "a report"), r"report\.html;")


def figures(folder: Path) -> Case:
    return Case(lambda _: write_json(folder / "figures.json", {"accuracy": 1}), r"figures\.json;")


def published(folder: Path) -> Case:
    registry = Registry(folder)
    kept = publish(registry, 0)

    def write(_: int) -> None:
        assert registry.versions() == [kept]
        publish(registry, 1)
        assert len(registry.versions()) == 2

    return Case(write, str(folder), waits=11, name_last=False)


def exported(folder: Path) -> Case:
    def write(_: int) -> None:
        with new_folder(folder / "exported") as unfinished:
            write_text(unfinished / "README.md", "a file")
            write_json(unfinished / "parity.json", {"of": "a model"})

    return Case(write, "exported;", waits=8, name_last=False)


def promoted(folder: Path) -> Case:
    registry = Registry(folder)
    first, second = publish(registry, 1), publish(registry, 2)
    registry.promote(first.name)

    def write(_: int) -> None:
        assert registry.champion() in (first, second)
        registry.promote(second.name)
        assert registry.champion() == second

    return Case(write, "champion;")


def predicted(folder: Path) -> Case:
    source = jsonl(folder / "in.jsonl", 3 * BATCH)

    def write(failed: int) -> None:
        if failed == 9:  # only its name was not yet surely on the disk
            with pytest.raises(ClassifierError, match="exists already"):
                run(source, folder / "out.jsonl")
        else:
            assert not (folder / "out.jsonl").exists()
            found = run(source, folder / "out.jsonl")
            assert found.resumed >= failed // 3 * BATCH  # it waits for the disk three times a batch
        assert names(folder) == ["in.jsonl", "out.jsonl"]

    return Case(write, r"out\.jsonl;", waits=10)


def tokens(folder: Path, tokenizer: PreTrainedTokenizerBase) -> Case:
    (folder / "tokens").mkdir()
    return Case(lambda _: tokenize_cached(TEXTS, tokenizer, 12, 0.5, folder), "tokens")


def checkpoint(folder: Path, new_model: NewModel) -> Case:
    saved = Checkpoint(folder / "mean-0.safetensors")
    earlier, later = new_model(), new_model(seed=3)
    saved.save(earlier, None, HISTORY)

    def write(_: int) -> None:
        assert saved.restore(earlier, optimization(earlier, DEFAULT)) in (HISTORY, HISTORY * 2)
        saved.save(later, None, HISTORY * 2)

    return Case(write, r"mean-0\.safetensors;")


def database(folder: Path, migrated_file: Path) -> Case:
    shutil.copy(migrated_file, folder / "kinorate.db")
    (folder / "backups").mkdir()
    url = f"sqlite+aiosqlite:///{folder / 'kinorate.db'}"
    return Case(
        lambda _: Backups(url, folder / "backups", kept=5).copy_to(
            folder / "backups" / "kinorate.db"
        ),
        r"backups/kinorate\.db",
        error=DatabaseError,
        sentence=r"kinorate\.db can't be backed up to .*{}: .*No space left on device\.",
    )


def stand_in_encoder(folder: Path) -> Case:
    if not list(importlib.metadata.distributions(name=stand_in.PACKAGE)):
        pytest.skip("silero-stress is not installed")
    (folder / "encoders").mkdir()
    return Case(lambda _: stand_in.stand_in_folder(folder, "no hub"), "silero")


NEEDS: dict[Callable[..., Case], str] = {  # beside the folder
    tokens: "tokenizer",
    checkpoint: "tiny_model",
    database: "migrated_file",
}


def contents(folder: Path) -> dict[str, bytes | None]:
    """Of all files but locks, and but the rows of an unfinished prediction, which are kept."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
        if path.name != ".lock" and ".partial" not in path.name
    }


MakeCase = Callable[[Callable[..., Case]], Case]


@pytest.fixture
def afresh(in_memory: Path, request: pytest.FixtureRequest) -> MakeCase:
    """`afresh(make)`: the case in the folder `in_memory`, where nothing else is."""

    def afresh(make: Callable[..., Case]) -> Case:
        for path in in_memory.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        needs = NEEDS.get(make)
        return make(in_memory, *([request.getfixturevalue(needs)] if needs else []))

    return afresh


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MiB."""
    mount = shutil.which("mount")
    folder = tmp_path / "small disk"
    folder.mkdir()
    command = [str(mount), "-t", "tmpfs", "-o", "size=8m", "none", str(folder)]
    if mount is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small tmpfs can't be mounted here: that needs root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@contextmanager
def refused(case: Case) -> Iterator[None]:
    with pytest.raises(case.error) as raised:
        yield
    assert re.search(case.sentence.format(case.target), str(raised.value))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "make", [text, figures, published, exported, promoted, predicted, tokens, checkpoint, database]
)
def test_a_disk_that_is_full_from_any_moment_on(
    make: Callable[..., Case], in_memory: Path, afresh: MakeCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    left, real = sys.maxsize, os.fsync

    def fsync(descriptor: int) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    case = afresh(make)
    left = sys.maxsize
    case.write(0)
    written, waits = contents(in_memory), sys.maxsize - left
    assert waits >= case.waits
    for failing in range(waits):
        left = sys.maxsize
        case = afresh(make)
        before, left = contents(in_memory), failing
        with refused(case):
            case.write(0)
        late = case.name_last and failing == waits - 1
        assert contents(in_memory) == (written if late else before)
        left = sys.maxsize  # there is room again
        case.write(failing)
        assert contents(in_memory) == written


@pytest.mark.parametrize(
    ("make", "library", "error"),
    [
        (tokens, "classifier.data.tokenizer", OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))),
        (checkpoint, "classifier.training.checkpoint", SafetensorError("No space left on device")),
        (stand_in_encoder, "classifier.modeling.stand_in", OSError(28, os.strerror(28))),
    ],
)
def test_weights_that_safetensors_leaves_half_written(
    make: Callable[..., Case],
    library: str,
    error: Exception,
    in_memory: Path,
    afresh: MakeCase,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def half(_: object, file: str | Path, **__: object) -> None:
        Path(file).write_bytes(b"half")
        raise error

    case = afresh(make)
    before = contents(in_memory)
    with monkeypatch.context() as patch, refused(case):
        patch.setattr(f"{library}.save_file", half)
        case.write(0)
    assert contents(in_memory) == before
    case.write(0)
    assert contents(in_memory) != before


def test_a_version_that_a_small_disk_can_not_hold(small_disk: Path) -> None:
    registry = Registry(small_disk / "models")
    kept = publish(registry, 1)
    registry.promote(kept.name)

    def by_python(folder: Path) -> None:
        (folder / "big").write_bytes(bytes(2**24))

    def by_safetensors(folder: Path) -> None:
        save_file({"weight": np.zeros(2**22, dtype=np.float32)}, folder / "big")

    def by_json(folder: Path) -> None:
        write_json(folder / "big", ["review"] * 2**20)

    for write in (by_python, by_safetensors, by_json):
        with pytest.raises(ClassifierError, match="disk is full"):
            publish(registry, 2, write)
        assert leftovers(registry.root) == []
    assert registry.versions() == [kept]
    assert registry.champion() == kept


# The command line


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
        (400, "Training with CLS", r"models/\.unfinished/\w+/cls-0\.safetensors", ()),
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
    assert ("cls-0, mean-0." in out) is bool(again)
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
    assert (status, out, err) == (1, "", full(str(small_disk / "e.json")))  # before it began
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
