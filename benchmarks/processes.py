"""Processes of which the benchmarks measure the time and the memory.

`python -m benchmarks.processes ORDER FIGURES` measures one arm; `run_arm` starts it.
"""

import importlib
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from classifier.errors import ClassifierError
from classifier.memory import keep_freed_pages

ROOT = Path(__file__).resolve().parents[1]
_POLL_SECONDS = 0.05
_LAST_LINES = 15  # of a failed process's output, shown in the error


@dataclass(frozen=True)
class Arm:
    """One of the things that a benchmark compares."""

    function: str  # "benchmarks.gemm.measure"; takes the job as a dict, returns its figures
    about: str  # what exactly is measured
    job: dict[str, Any] = field(default_factory=dict)  # the fields of the job that are its own
    keep_freed_pages: bool = False  # the malloc settings of `python -m classifier`
    needs: tuple[str, ...] = ()  # modules
    environment: dict[str, str] = field(default_factory=dict)  # what it adds to ours

    def lacks(self) -> str | None:
        """The first of the modules that isn't installed."""
        return next((name for name in self.needs if not importlib.util.find_spec(name)), None)


@dataclass(frozen=True)
class Ended:
    """A process that ended with status 0."""

    seconds: float
    peak_mb: float | None  # resident, of this process alone; None where there is no /proc


def environment(**more: str) -> dict[str, str]:
    """This process's environment, in which `python -m` finds this repository from any folder."""
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return os.environ | {"PYTHONPATH": path} | more


def run(
    *command: str, show_output: bool = False, more: Mapping[str, str] = MappingProxyType({})
) -> Ended:
    """Run this interpreter with these arguments, with `more` in the environment.

    Its output is printed with `show_output` and hidden without. Raises ClassifierError with the
    last lines of hidden output where the process fails.

    The peak is read while it runs: the system's own figure (ru_maxrss) starts with the memory of
    the process that started it.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *command],
            stdout=None if show_output else output,
            stderr=None if show_output else subprocess.STDOUT,
            env=environment(**more),
        )
        peak = None
        try:
            while process.poll() is None:
                peak = memory_mb(process.pid, "VmHWM") or peak
                time.sleep(_POLL_SECONDS)
        except BaseException:
            process.kill()
            process.wait()
            raise
        seconds = time.perf_counter() - started
        output.seek(0)
        last = "\n".join(output.read().strip().splitlines()[-_LAST_LINES:])
    if process.returncode:
        raise ClassifierError(f"{' '.join(command[:3])} ended with {process.returncode}: {last}")
    return Ended(seconds, peak)


def run_arm(arm: Arm, job: dict[str, Any]) -> dict[str, Any]:
    """The figures of an arm, measured in a process of its own, and the process's peak memory."""
    order = {"function": arm.function, "keep_freed_pages": arm.keep_freed_pages}
    with tempfile.TemporaryDirectory() as folder:
        order_file, figures_file = Path(folder) / "order.json", Path(folder) / "figures.json"
        order_file.write_text(json.dumps(order | {"job": job | arm.job}), encoding="utf-8")
        command = ("-m", "benchmarks.processes", str(order_file), str(figures_file))
        ended = run(*command, more=arm.environment)
        figures: dict[str, Any] = json.loads(figures_file.read_bytes())
    return figures | {"peak_mb": ended.peak_mb}


def memory_mb(process: int, name: str) -> float | None:
    """A line of /proc/PID/status, such as VmRSS (resident) or VmHWM (its peak), in MB of 10^6."""
    try:
        status = Path(f"/proc/{process}/status").read_text("utf-8")
    except OSError:
        return None
    found = re.search(rf"^{name}:\s+(\d+) kB", status, re.MULTILINE)
    return int(found[1]) * 1024 / 1e6 if found else None


def cpu_seconds(process: int) -> float | None:
    """What a process has computed so far, in all its threads; None where there is no /proc."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text("utf-8")
    except OSError:
        return None
    user, system = stat.rpartition(")")[2].split()[11:13]  # as proc(5) numbers them: 14 and 15
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure the arm of the order file and write its figures: what `run_arm` starts."""
    order_file, figures_file = map(Path, sys.argv[1:])
    order = json.loads(order_file.read_bytes())
    if order["keep_freed_pages"]:
        keep_freed_pages()  # before torch is imported and starts its threads
    module, _, function = order["function"].rpartition(".")
    figures = getattr(importlib.import_module(module), function)(order["job"])
    figures_file.write_text(json.dumps(figures, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    main()
