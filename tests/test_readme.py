"""README names files and folders that are there."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_path_in_the_map_is_there() -> None:
    section = README.partition("## For developers")[2]
    table = [line for line in section.splitlines() if line.startswith("|")]
    named = {
        (row, path)
        for row in table
        for path in re.findall(r"`([a-z_]+(?:/[a-z_]+)+(?:\.py)?)`", row)
    }
    assert len(named) > 15
    assert not {path for _, path in named if not (ROOT / path).exists()}


def test_every_folder_of_the_packages_is_on_the_map() -> None:
    section = README.partition("## For developers")[2]
    folders = {
        file.parent.relative_to(ROOT)
        for package in ("bot", "classifier")
        for file in (ROOT / package).glob("*/__init__.py")
    }
    assert not {folder for folder in folders if f"{folder.name}`" not in section}


def test_links_lead_to_files() -> None:
    links = re.findall(r"\]\((?!https?://)([^)#]+)\)", README)
    assert links
    assert not [link for link in links if not (ROOT / link).exists()]
