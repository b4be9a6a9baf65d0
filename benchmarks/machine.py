"""What a figure was measured on: the machine and the libraries."""

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from classifier.modeling.device import compute_dtype, default_device

_LIBRARIES = ("torch", "transformers", "accelerate", "tokenizers", "scikit-learn", "numpy")
_FLAGS = ("avx2", "avx512_f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8", "sve_bf16")


def machine() -> dict[str, Any]:
    """The processor, its cores and number formats, the memory, the GPU if there is one."""
    device = default_device()
    flags = torch.cpu.get_capabilities()
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "threads": torch.get_num_threads(),
        "flags": [flag for flag in _FLAGS if flags.get(flag)],
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        "arithmetic": str(compute_dtype(device)).removeprefix("torch."),
    }


def versions() -> dict[str, str]:
    """Python and the libraries whose speed or result it is."""
    return {"python": platform.python_version(), **{name: version(name) for name in _LIBRARIES}}


def _cpu() -> str:
    file = Path("/proc/cpuinfo")
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
