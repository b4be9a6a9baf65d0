"""The machine that results are measured on, and where results of its kind are kept."""

import json
import os
import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from benchmarks import RESULTS
from benchmarks.kinds import allowed_kind, kind_of
from classifier.errors import ClassifierError
from classifier.modeling.device import default_device
from classifier.training.publishing import environment

_MORE_LIBRARIES = ("accelerate", "tokenizers", "onnxruntime", "openvino", "nncf")
_FLAGS = ("avx2", "avx512_f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8", "sve_bf16")


def conditions() -> dict[str, dict[str, Any]]:
    """What training.json keeps of libraries and machine, and what else decides the speed.

    `kind` is of the instructions that torch may use; `emulated` says that the processor has more
    of them, which ONEDNN_MAX_CPU_ISA or ATEN_CPU_CAPABILITY rules out.
    """
    found = environment(default_device())
    for name in _MORE_LIBRARIES:
        with suppress(PackageNotFoundError):  # of those for development
            found["versions"][name] = version(name)
    has_affinity = hasattr(os, "sched_getaffinity")
    capabilities = torch.cpu.get_capabilities()
    machine = found["machine"] | {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count(),
        "flags": [flag for flag in _FLAGS if capabilities.get(flag)],
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "load": round(os.getloadavg()[0], 1),  # processes that ran or waited in the last minute
    }
    own = kind_of(machine)
    onednn, aten = os.environ.get("ONEDNN_MAX_CPU_ISA", ""), torch.backends.cpu.get_cpu_capability()
    kind = allowed_kind(own, onednn, aten)
    return found | {"machine": machine | {"kind": kind, "emulated": kind != own}}


def path_by_kind(name: str) -> Path:
    """Where a benchmark's results on this kind of machine are kept.

    Raises ClassifierError where they would replace those of a real machine by emulated ones.
    """
    machine = conditions()["machine"]
    path = Path(RESULTS, machine["kind"], f"{name}.json")
    if machine["emulated"] and path.exists():
        stored: dict[str, Any] = json.loads(path.read_bytes())["machine"]
        if not stored.get("emulated"):
            raise ClassifierError(
                f"results/{machine['kind']}/{path.name} was measured on a processor of that kind, "
                "and this one only behaves like it: name another file by --json."
            )
    return path


def _cpu() -> str:
    file = Path("/proc/cpuinfo")
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
