"""What docs/operating.md tells an operator to type or to set, and what they read, is there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from bot.commands.app import app
from bot.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
OTHERS = {"HTTPS_PROXY", "PASSWORD", "HOST", "FILE", "REPOSITORY", "END"}
"""What is no setting: another program's, or a place for a value."""


def test_its_commands_are_there() -> None:
    known = {command.callback.__name__ for command in app.registered_commands if command.callback}
    named = set(re.findall(r"python -m bot ([a-z]+)", TEXT))
    assert named == known


def test_its_settings_are_there() -> None:
    named = set(re.findall(r"`([A-Z][A-Z_]{3,})[`=/]", TEXT))
    named |= set(re.findall(r"^ {4}([A-Z_]+)=", TEXT, re.MULTILINE))
    assert len(named) > 8
    assert named - {name.upper() for name in Settings.model_fields} <= OTHERS


def test_its_links_lead_to_files() -> None:
    links = re.findall(r"\]\((?!https?://)([^)#]+)\)", TEXT)
    assert links
    assert not [link for link in links if not (ROOT / "docs" / link).exists()]


def test_the_sentences_that_it_explains_are_said() -> None:
    table = TEXT.partition("| what is seen |")[2]
    quoted = re.findall(
        r'"([^"]+)"',
        "\n".join(line.split("|")[1] for line in table.splitlines()[2:] if line.startswith("|")),
    )
    parts = {part.strip(" :") for quote in quoted for part in re.split(r"…|data/\S+|12|14", quote)}
    sources = [
        re.sub(r'"\s*\n\s*f?"', "", file.read_text(encoding="utf-8"))
        for package in ("bot", "classifier", "db")
        for file in (ROOT / package).rglob("*.py")
    ]
    system = "No space left"  # the system's own words
    missing = {part for part in parts if len(part) > 3 and part != system}
    missing = {part for part in missing if not any(part in source for source in sources)}
    assert len(parts) > 10
    assert not missing


@pytest.mark.parametrize("command", ["check", "backup", "restore", "move"])
def test_each_command_explains_itself(command: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bot", command, "--help"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "TERM": "dumb", "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert f"python -m bot {command}" in done.stdout
    assert list(tmp_path.iterdir()) == []
