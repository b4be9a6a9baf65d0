"""Processes of which we want to know how long they took and how much memory they held."""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifier.errors import ClassifierError

ROOT = Path(__file__).resolve().parents[1]
_LOOK_EVERY = 0.05  # seconds
_TOLD = 15  # last lines of what a failed process said


@dataclass(frozen=True)
class Ended:
    """A process that went well."""

    seconds: float
    peak_mb: float | None  # resident, of the process alone; None where there is no /proc


def environment(**more: str) -> dict[str, str]:
    """This process's own, in which `python -m` finds this repository from any folder."""
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return os.environ | {"PYTHONPATH": path} | more


def run(*command: str, aloud: bool = False) -> Ended:
    """Run this interpreter with these arguments; ClassifierError with its last words if it fails.

    `aloud` lets it print, for whoever waits for it; nothing is heard of it otherwise.
    The peak is looked up while it runs: the system's own account (ru_maxrss) begins with the
    memory of whoever started the process.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *command],
            stdout=None if aloud else said,
            stderr=None if aloud else subprocess.STDOUT,
            env=environment(),
        )
        peak = None
        try:
            while process.poll() is None:
                peak = memory_mb(process.pid, "VmHWM") or peak
                time.sleep(_LOOK_EVERY)
        except BaseException:
            process.kill()
            process.wait()
            raise
        seconds = time.perf_counter() - started
        said.seek(0)
        words = said.read()
    if process.returncode:
        last = "\n".join(words.strip().splitlines()[-_TOLD:])
        raise ClassifierError(f"{' '.join(command[:3])} ended with {process.returncode}: {last}")
    return Ended(seconds, peak)


def run_arm(
    module: str, job: dict[str, Any], *, function: str = "measure", keep_freed_pages: bool = False
) -> dict[str, Any]:
    """A module's function, given `job`, in a process of its own: its figures, its peak memory."""
    with tempfile.TemporaryDirectory() as folder:
        order, figures = Path(folder) / "job.json", Path(folder) / "figures.json"
        called = {"module": module, "function": function, "keep_freed_pages": keep_freed_pages}
        order.write_text(json.dumps(called | {"job": job}), encoding="utf-8")
        ended = run("-m", "benchmarks.arm", str(order), str(figures))
        measured: dict[str, Any] = json.loads(figures.read_bytes())
    return measured | {"peak_mb": ended.peak_mb}


def memory_mb(process: int, name: str) -> float | None:
    """A line of /proc/PID/status, such as VmRSS (resident) or VmHWM (its peak), in MB of 10^6."""
    try:
        status = Path(f"/proc/{process}/status").read_text("utf-8")
    except OSError:
        return None
    found = re.search(rf"^{name}:\s+(\d+) kB", status, re.MULTILINE)
    return int(found[1]) * 1024 / 1e6 if found else None
