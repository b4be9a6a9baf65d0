"""Files that are replaced as a whole, leftovers of kills, locks, and cells of a CSV file."""

import csv
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
