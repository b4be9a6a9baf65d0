"""`predict --explain`: why, in the reader's language."""

import json
import shutil
from pathlib import Path

import pytest

from tests.classifier.command_line import CommandLine

REVIEW = "Шёл дождь. Гениальный сюжет! Актёр \x1b[31mскучный.\nФинал позорный — 3 из 10."


@pytest.fixture
def line(tmp_path: Path, tiny_encoder: Path, two_versions: Path) -> CommandLine:
    started = CommandLine(tmp_path, tiny_encoder)
    shutil.copytree(two_versions, started.models)
    return started


def test_the_reasons_stand_below_the_answer_and_in_json(line: CommandLine) -> None:
    status, out, err = line.here("predict", REVIEW, "--explain", "--json", "p.json")
    assert (status, err) == (0, "")
    told = out.split("Why: ", 1)[1]
    assert "these sentences" in told
    assert "\x1b" not in told
    (found,) = json.loads((line.folder / "p.json").read_text())
    sentences = {"Шёл дождь.", "Гениальный сюжет!", "Финал позорный — 3 из 10."}
    for reasons in found["reasons"].values():
        pulls = reasons["up"] + reasons["down"]
        assert {pull["text"] for pull in pulls} <= sentences | {"Актёр \x1b[31mскучный."}
        assert all(pull["rating"] > 0 for pull in reasons["up"])
        assert all(pull["rating"] < 0 for pull in reasons["down"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Сюжет гениальный", "there is one sentence, so by words"),
        ("кино " * 2000, "there is one sentence, so by words"),
        ("Это кино. " * 2000, "these sentences"),
    ],
)
def test_any_text_is_explained(line: CommandLine, text: str, expected: str) -> None:
    status, out, err = line.here("predict", text, "--explain")
    assert (status, err) == (0, "")
    assert expected in out
    assert max(map(len, out.splitlines())) < 110


def test_in_russian(line: CommandLine) -> None:
    line.environment["LC_ALL"] = "ru_RU.UTF-8"
    _, out, _ = line.here("predict", REVIEW, "--explain")
    assert "Почему: насколько баллов" in out


def test_a_file_has_no_reasons(line: CommandLine) -> None:
    status, _, err = line.here("predict", "--file", "a.txt", "--out", "b.csv", "--explain")
    assert status == 1
    assert "--explain is of single reviews" in err
