"""The unit is one that systemd takes, and it is closed as far as the bot can do with."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
UNIT = ROOT / "deploy" / "systemd" / "kinorate.service"
LARGEST_EXPOSURE = 1.5


@pytest.fixture(autouse=True)
def _systemd() -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd is not installed")


def analyze(*words: str) -> str:
    done = subprocess.run(
        ["systemd-analyze", *words], capture_output=True, text=True, check=False, timeout=60
    )
    return done.stdout + done.stderr


def test_it_is_understood() -> None:
    said = analyze("verify", str(UNIT))
    unknown = [line for line in said.splitlines() if "kinorate.service" in line]
    assert all("is not executable: No such file" in line for line in unknown), said


def test_it_is_closed() -> None:
    said = analyze("security", "--offline=true", str(UNIT))
    if not (found := re.search(r"Overall exposure level for kinorate.service: ([\d.]+)", said)):
        pytest.skip(f"this systemd can't tell: {said.strip().splitlines()[-1:]}")
    assert float(found[1]) <= LARGEST_EXPOSURE
