"""README's tables, made of the committed results."""

import json
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from benchmarks import RESULTS
from benchmarks.__main__ import app
from benchmarks.tables import BEGIN, END, table_of, with_tables
from classifier.errors import ClassifierError
from tests.benchmarks.conftest import ROOT

AMX = {
    "device": "cpu",
    "cpu": "Some Xeon",
    "cores": 2,
    "arithmetic": "bfloat16",
    "flags": ["avx2", "avx512_f", "avx512_bf16", "amx_bf16"],
}
AVX2 = AMX | {"cpu": "An old one", "arithmetic": "float32", "kind": "avx2", "emulated": True}
LOAD = {
    "benchmark": "load",
    "command": "python -m benchmarks load",
    "machine": AMX,
    "settings": {"bound_ms": 1000.0, "seconds": 30.0},
    "rows": {"rows": 40, "median_characters": 2000},
    "summary": {"arms": {"1 process": {"rate": 30.0, "held": True}}},
}
QUALITY: dict[str, Any] = {
    "benchmark": "quality",
    "command": "python -m benchmarks quality --seeds 2",
    "machine": AMX,
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


def store(file: Path, document: dict[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(document), encoding="utf-8")


def test_each_kind_of_processor_and_each_pair_of_files_has_a_table(tmp_path: Path) -> None:
    slow = {"arms": {"1 process": {"rate": 7.0, "held": True}}}
    store(tmp_path / "avx2/load.json", LOAD | {"machine": AVX2, "summary": slow})
    store(tmp_path / "amx/load.json", LOAD)
    store(tmp_path / "quality/train+test.json", QUALITY)
    shares = {"shares": {"Bad": 0.13, "Neutral": 0.125, "Good": 0.745}}
    hub_like = QUALITY | {"settings": QUALITY["settings"] | {"test": {"rows": 1152} | shares}}
    store(tmp_path / "quality/hub_like_train+hub_like_test.json", hub_like)
    written = with_tables(f"{BEGIN}\n{END}", tmp_path)
    parts = (
        "**Load on amx**",
        "2 cores of Some Xeon, bfloat16",
        "| 1 process | 30.0 |",
        "**Load on avx2, emulated**",
        "2 cores of An old one, float32",
        "| 1 process | 7.0 |",
        "13.0 % Bad, 12.5 % Neutral, 74.5 % Good: mean and range over 2 seeds",
        "judged on 1,152 others",
        "judged on 40 others",
    )
    places = [written.index(part) for part in parts]
    assert places == sorted(places)


def test_readme_shows_the_committed_results() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert with_tables(readme, RESULTS) == readme


@pytest.mark.parametrize("file", sorted(RESULTS.rglob("*.json")), ids=lambda file: file.stem)
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
    files = [*RESULTS.rglob("*.json")]
    assert files
    for file in files:
        text = file.read_text("utf-8")
        assert json.loads(text)["ended"], f"{file} was interrupted"
        assert not re.search(r'"/\w+/|/home/|/tmp/', text), f"{file} names a folder"


def test_the_check_passes_after_writing_and_fails_on_a_changed_readme(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"# Title\n\n{BEGIN}\n\nold\n\n{END}\n\n## After\n", encoding="utf-8")
    results = tmp_path / "results"
    store(results / "quality/a+b.json", QUALITY)

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
    line = "| ours, mean | 90.0 % (89.0-91.0) | 0.651 (0.650-0.652) | – | 1.10 | 61 |"
    assert line in written, "results of a time without Neutral's F1 stay readable"
    assert "Not measured yet: `python -m benchmarks serving`." in written
    tables("--check")
    readme.write_text(written.replace("90.0", "95.0"), encoding="utf-8")
    with pytest.raises(ClassifierError, match="are not those of the results"):
        tables("--check")


def test_a_readme_without_markers_is_refused() -> None:
    with pytest.raises(ClassifierError, match="no line"):
        with_tables("# Title\n", RESULTS)
