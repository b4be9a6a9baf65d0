"""The lock files name every package that is needed, in the versions tested, with hashes."""

import re
import tomllib
from importlib.metadata import requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCKS = {"requirements.lock": {"offline", "postgres"}, "requirements-dev.lock": {"dev", "onnx"}}


def locked(name: str) -> dict[str, str]:
    """The version of each package in a lock file, every one with a hash at least."""
    versions: dict[str, str] = {}
    for block in re.split(r"\n(?! )", (ROOT / name).read_text().strip()):
        found = re.match(
            r"([\w.-]+)==(\S+)(?: ;[^\\]+)?((?: \\\n    --hash=sha256:[0-9a-f]{64})+)", block
        )
        assert found, block[:200]
        versions[canonicalize_name(found[1])] = found[2]
    return versions


def needed(extras: set[str]) -> set[str]:
    """The packages that the project needs, but torch, which is from other places, and its own."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    optional = project["optional-dependencies"]
    lines = project["dependencies"] + [line for extra in extras for line in optional[extra]]
    found: set[str] = set()
    seen: set[tuple[str, str]] = set()
    waiting = [(line, {""}) for line in lines]
    while waiting:
        line, extras = waiting.pop()
        requirement = Requirement(line)
        name, marker = canonicalize_name(requirement.name), requirement.marker
        wanted = marker is None or any(marker.evaluate({"extra": extra}) for extra in extras)
        if wanted and name != "torch" and (name, str(requirement.extras)) not in seen:
            seen.add((name, str(requirement.extras)))
            found.add(name)
            waiting += [(more, {"", *requirement.extras}) for more in requires(name) or []]
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_locked_in_the_version_installed(lock: str) -> None:
    versions = locked("requirements.lock")
    if lock != "requirements.lock":
        versions |= locked(lock)
    for name in needed(LOCKS[lock]):
        assert versions.get(name) == version(name), name
    assert "setuptools" in versions, "it builds the project itself"
    assert not any(name.startswith(("torch", "nvidia", "triton")) for name in versions)
