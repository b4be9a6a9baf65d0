"""Imports point one way: between the packages, and between the folders of each."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FORBIDDEN = {
    "classifier": {"bot", "db", "telegram", "sqlalchemy", "apscheduler"},
    "db": {"bot", "classifier", "telegram", "torch", "transformers", "apscheduler"},
}
ORDER = {
    "classifier": (
        "errors labels files memory interruption progress data modeling serving explanation"
        " registry evaluation reports export sharing training commands __main__"
    ),
    "bot": (
        "errors clock loopback logs schedule storage database folders secret_files settings"
        " stopping delivery prediction monitoring services scheduling texts views"
        " handlers local app serving commands __main__"
    ),
}
"""Folders and modules of a package, each of which may import those before it and no others."""

ALONE = {"bot.local": {"bot.clock", "bot.loopback"}}
"""What a folder that stands for somebody else's server may import of its own package."""

KNOW_NO_DATASETS = ("classifier.modeling.outputs", "classifier.modeling.temperature")
"""What a prediction imports: the library of datasets would cost its start a second."""


def modules(package: str) -> list[Path]:
    files = sorted((ROOT / package).rglob("*.py"))
    assert files, f"no modules in {package}/"
    return files


def imported(file: Path) -> Iterator[str]:
    """Everything that a module imports, by its full name, functions included."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            # `from bot import handlers` names a module, `from bot.clock import utc_now` none.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def place(name: str) -> str:
    """The folder or module right below the package: "data" of classifier.data.reviews.Reviews."""
    return name.split(".")[1] if "." in name else ""


def name_of(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts)


@pytest.mark.parametrize("package", sorted(FORBIDDEN))
def test_a_layer_imports_no_layer_above_or_beside_it(package: str) -> None:
    found = {
        f"{file.relative_to(ROOT)} imports {name}"
        for file in modules(package)
        for name in {name.split(".")[0] for name in imported(file)} & FORBIDDEN[package]
    }
    assert not found


@pytest.mark.parametrize("package", sorted(ORDER))
def test_a_folder_imports_only_folders_below_it(package: str) -> None:
    order = ORDER[package].split()
    found = set()
    for file in modules(package):
        own = place(name_of(file))
        if own == "__init__":
            continue
        assert own in order, f"{file.relative_to(ROOT)} has no place in the order"
        for name in imported(file):
            if name.split(".")[0] == package and order.index(place(name)) > order.index(own):
                found.add(f"{file.relative_to(ROOT)} imports {name}")
    assert not found


@pytest.mark.parametrize("folder", sorted(ALONE))
def test_the_local_server_knows_nothing_of_the_bot(folder: str) -> None:
    package = folder.split(".")[0]
    found = {
        f"{file.relative_to(ROOT)} imports {name}"
        for file in modules(folder.replace(".", "/"))
        for name in imported(file)
        if name.split(".")[0] == package
        and not any(name.startswith(f"{one}.") for one in {folder, *ALONE[folder]})
    }
    assert not found


@pytest.mark.parametrize("package", ["bot", "classifier", "db"])
def test_no_package_does_work_when_it_is_imported(package: str) -> None:
    """An `__init__` is its docstring, the map: what it imported, all would wait for."""
    for file in modules(package):
        if file.name == "__init__.py":
            body = ast.parse(file.read_text(encoding="utf-8")).body
            assert len(body) == 1, f"{file.relative_to(ROOT)} holds more than its docstring"
            assert ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))


@pytest.mark.parametrize("module", KNOW_NO_DATASETS)
def test_a_prediction_does_without_datasets(module: str) -> None:
    tree = ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8"))
    at_import = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    names = {alias.name for node in at_import for alias in node.names} | {
        node.module for node in at_import if isinstance(node, ast.ImportFrom)
    }
    assert not {name for name in names if name and name.startswith(("datasets", "sklearn"))}
