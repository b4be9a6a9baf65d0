"""The packages' imports point one way: bot → classifier, db; those two know no other layer."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FORBIDDEN = {
    "classifier": {"bot", "db", "telegram", "sqlalchemy", "apscheduler"},
    "db": {"bot", "classifier", "telegram", "torch", "transformers", "apscheduler"},
}


def imported(file: Path) -> Iterator[str]:
    """The top-level names of everything that a module imports, functions included."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.split(".")[0]


@pytest.mark.parametrize("package", sorted(FORBIDDEN))
def test_a_layer_imports_no_layer_above_or_beside_it(package: str) -> None:
    files = sorted((ROOT / package).rglob("*.py"))
    assert files, f"no modules in {package}/"
    found = {
        f"{file.relative_to(ROOT)} imports {name}"
        for file in files
        for name in set(imported(file)) & FORBIDDEN[package]
    }
    assert not found
