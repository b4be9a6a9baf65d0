"""Files that are replaced as a whole, leftovers of kills, locks, and cells of a CSV file."""

import csv
import fcntl
import io
import json
import os
from contextlib import suppress
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.errors import ClassifierError
from classifier.files import (
    make_locked,
    new_folder,
    remove_leftovers,
    replacing,
    spreadsheet_cell,
    take_lock,
    write_json,
    write_text,
)


def test_write_text_replaces_and_follows_links(tmp_path: Path) -> None:
    target, link = tmp_path / "target.txt", tmp_path / "link.txt"
    link.symlink_to(target)
    write_text(link, "один\n")
    write_text(link, "два\n")
    assert link.is_symlink()
    assert target.read_text(encoding="utf-8") == "два\n"
    assert sorted(tmp_path.iterdir()) == [link, target]
    with pytest.raises(ClassifierError, match=r"none/x\.txt can't be written"):
        write_text(tmp_path / "none" / "x.txt", "")


def test_write_text_to_a_pipe_does_not_replace_it(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_text(pipe, "text")
    assert os.read(reader, 10) == b"text"
    os.close(reader)
    assert pipe.is_fifo()


def test_write_json_is_valid_json(tmp_path: Path) -> None:
    write_json(tmp_path / "x.json", {"слово": [1, None]})
    assert json.loads((tmp_path / "x.json").read_bytes()) == {"слово": [1, None]}
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "x.json", float("nan"))
    assert json.loads((tmp_path / "x.json").read_bytes()) == {"слово": [1, None]}


def test_an_error_leaves_the_old_file_and_a_kill_a_leftover(tmp_path: Path) -> None:
    path = tmp_path / "kept.txt"
    path.write_text("old")
    with suppress(RuntimeError), replacing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert [file.name for file in tmp_path.iterdir()] == ["kept.txt"]
    assert path.read_text() == "old"
    others = [tmp_path / ".other.txt.1.tmp", tmp_path / "kept.txt.tmp"]
    for file in [tmp_path / ".kept.txt.0a.tmp", *others]:
        file.touch()
    remove_leftovers(path)
    assert sorted(tmp_path.iterdir()) == sorted([path, *others])


@pytest.mark.parametrize("name", ["", "file"])
def test_a_folder_or_file_has_one_lock_until_it_is_closed(tmp_path: Path, name: str) -> None:
    lock = take_lock(tmp_path / name, wait=False)
    assert lock is not None
    assert take_lock(tmp_path / name, wait=False) is None
    os.close(lock)
    lock = take_lock(tmp_path / name, wait=True)
    assert lock is not None
    os.close(lock)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+7 900", "'+7 900"),
        ("-5", "'-5"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        ("  =1", "'  =1"),
        ("＝1", "'＝1"),
        ("\n =1", "'\n' =1"),
        ("Кино;=1", "Кино;'=1"),
        ("Кино; @A1\n-5", "Кино;' @A1\n'-5"),
        ("Кино, =1", "Кино, =1"),
        ("Хорошо = плохо", "Хорошо = плохо"),
        ("— Да!", "— Да!"),
        ("", ""),
        (-1, -1),
        (None, None),
    ],
)
def test_cells_that_would_run(value: object, written: object) -> None:
    assert spreadsheet_cell(value) == written


_PIECES = [*"=+-@＝；;,\t\r\n '\"", "\r\n", "а", "=1+1", ";=1+1", "\n=1+1", ';"=1+1']


@given(st.lists(st.sampled_from(_PIECES), max_size=12).map("".join))
def test_no_cell_runs_whichever_separator_the_spreadsheet_expects(text: str) -> None:
    written = io.StringIO()
    table = csv.writer(written)
    table.writerows([[1, spreadsheet_cell(text), 0.5]] * 2)
    for separator in ",;\t":
        lines = io.StringIO(written.getvalue(), newline=None)
        for cell in chain.from_iterable(csv.reader(lines, delimiter=separator)):
            assert not cell.strip().startswith(tuple("=+-@＝")), (separator, cell)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("exists", [False, True])
def test_a_new_folder_is_there_as_a_whole_or_not_at_all(exists: bool, tmp_path: Path) -> None:
    target = tmp_path / "a [folder]"
    if exists:
        target.mkdir()
    with suppress(ZeroDivisionError), new_folder(target) as folder:
        (folder / "half").write_text("a file")
        raise ZeroDivisionError
    assert names(tmp_path) == [target.name] * exists
    assert not (target / "half").exists()
    with new_folder(target) as folder:
        (folder / "below").mkdir()
        (folder / "below" / "file").write_text("a file")
        assert not (target / "below").exists()
    assert names(tmp_path) == [target.name]
    assert (target / "below" / "file").read_text() == "a file"


def test_what_is_there_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("a file")
    for name, why in [
        ("full", "is not empty: name a new folder"),
        ("full/file", "is no folder: name a new folder"),
        ("missing/folder", "can't be written: No such file or directory"),
        ("full/file/folder", "can't be written: Not a directory"),
    ]:
        with pytest.raises(ClassifierError, match=why), new_folder(tmp_path / name):
            raise AssertionError("never entered")
    late = new_folder(tmp_path / "late")
    (late.__enter__() / "ours").write_text("ours")
    (tmp_path / "late").mkdir()
    (tmp_path / "late" / "theirs").write_text("theirs")
    with pytest.raises(ClassifierError, match="can't be written: Directory not empty"):
        late.__exit__(None, None, None)
    assert (names(tmp_path), names(tmp_path / "late")) == (["full", "late"], ["theirs"])


def test_a_link_to_an_empty_folder_is_followed(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with new_folder(tmp_path / "link") as folder:
        (folder / "file").write_text("a file")
    assert (tmp_path / "link").is_symlink()
    assert names(tmp_path / "target") == ["file"]


def test_what_a_killed_process_left_goes_and_what_a_living_one_writes_stays(
    tmp_path: Path,
) -> None:
    for left in (".new.0123abcd.tmp", ".other.0123abcd.tmp"):
        (tmp_path / left / "below").mkdir(parents=True)
    with new_folder(tmp_path / "new") as first:
        (first / "file").write_text("a living one's")
        with pytest.raises(ZeroDivisionError), new_folder(tmp_path / "new"):
            raise ZeroDivisionError
        assert names(tmp_path) == [first.name, ".other.0123abcd.tmp"]
    assert names(tmp_path) == [".other.0123abcd.tmp", "new"]


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_is_removed_before_it_is_locked_is_made_again(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, lock_it = list[Path](), fcntl.flock

    def make() -> Path:
        made.append(tmp_path / kind)
        made[-1].touch() if kind == "file" else made[-1].mkdir()
        return made[-1]

    def flock(descriptor: int, operation: int) -> None:
        if len(made) == 1:  # whoever removes leftovers was quicker
            made[0].unlink() if kind == "file" else made[0].rmdir()
        lock_it(descriptor, operation)

    monkeypatch.setattr("fcntl.flock", flock)
    path, lock = make_locked(make)
    assert len(made) == 2
    assert path.exists()
    assert take_lock(path, wait=False) is None
    os.close(lock)
