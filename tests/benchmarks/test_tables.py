"""README's tables, made of the committed results."""

import json
import re
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks import RESULTS
from benchmarks.__main__ import app
from benchmarks.tables import BEGIN, END, table_of, with_tables
from classifier.errors import ClassifierError
from tests.benchmarks.conftest import ROOT

QUALITY = {
    "benchmark": "quality",
    "command": "python -m benchmarks quality --seeds 2",
    "settings": {"seeds": 2, "encoder": "a tiny one", "test": {"rows": 40}},
    "rows": {"rows": 1200},
    "summary": {
        "arms": {
            "ours, mean": {
                "accuracy": {"mean": 0.9, "low": 0.89, "high": 0.91},
                "macro_f1": {"mean": 0.6512, "low": 0.65, "high": 0.652},
                "rating_mae": {"mean": 1.1, "low": 1.1, "high": 1.1},
                "train_seconds": {"mean": 66.0, "low": 61.2, "high": 70.4},
            },
        }
    },
}


def test_readme_shows_the_committed_results() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert with_tables(readme, RESULTS) == readme


@pytest.mark.parametrize("file", sorted(RESULTS.glob("*.json")), ids=lambda file: file.stem)
def test_the_terminal_shows_what_readme_shows_and_more(file: Path) -> None:
    table = table_of(json.loads(file.read_bytes()))
    console = Console(file=StringIO(), width=1000)
    with console.capture() as captured:
        table.show(console)
    shown = captured.get()
    for line in table.markdown().splitlines()[4:]:
        for cell in line.strip("| ").split(" | "):
            assert cell in shown
    for column in [*table.columns, *table.details]:
        assert column in shown
    assert table.caption in shown


def test_committed_results_are_whole_and_name_no_folder() -> None:
    for file in RESULTS.glob("*.json"):
        text = file.read_text("utf-8")
        assert json.loads(text)["ended"], f"{file} was interrupted"
        assert not re.search(r'"/\w+/|/home/|/tmp/', text), f"{file} names a folder"


def test_the_check_passes_after_writing_and_fails_on_a_changed_readme(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"# Title\n\n{BEGIN}\n\nold\n\n{END}\n\n## After\n", encoding="utf-8")
    results = tmp_path / "results"
    results.mkdir()
    (results / "quality.json").write_text(json.dumps(QUALITY), encoding="utf-8")

    def tables(*options: str) -> None:
        where = ["--readme", str(readme), "--results", str(results)]
        app(["tables", *options, *where], standalone_mode=False)

    with pytest.raises(ClassifierError, match="are not those of the results"):
        tables("--check")
    assert "old" in readme.read_text("utf-8")
    tables()
    written = readme.read_text("utf-8")
    assert written.startswith("# Title\n")
    assert written.endswith("## After\n")
    assert "| ours, mean | 90.0 % (89.0-91.0) | 0.651 (0.650-0.652) | 1.10 | 61 |" in written
    assert "Not measured yet: `python -m benchmarks serving`." in written
    tables("--check")
    readme.write_text(written.replace("90.0", "95.0"), encoding="utf-8")
    with pytest.raises(ClassifierError, match="are not those of the results"):
        tables("--check")


def test_a_readme_without_markers_is_refused() -> None:
    with pytest.raises(ClassifierError, match="no line"):
        with_tables("# Title\n", RESULTS)
