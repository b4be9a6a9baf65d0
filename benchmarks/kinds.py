"""Kinds of processors: what decides how fast models are there.

Results of speed are kept by kind, so that those of one kind never overwrite another's.
"""

import platform
import re
from typing import Any

KINDS = ("amx", "avx512-bf16", "avx512", "avx2")
"""Of x86 processors, the fastest first; others are called by their architecture or their GPU."""

_FLAGS = dict(zip(KINDS, ("amx_bf16", "avx512_bf16", "avx512_f", "avx2"), strict=True))


def kind_of(machine: dict[str, Any]) -> str:
    """The kind of a results' machine; by the processor's flags where it is not written there."""
    if "kind" in machine:
        return str(machine["kind"])
    if machine["device"] != "cpu":
        return re.sub(r"\W+", "-", machine["device"].lower())
    found = (kind for kind, flag in _FLAGS.items() if flag in machine["flags"])
    return next(found, platform.machine().lower())


def allowed_kind(kind: str, onednn: str, aten: str) -> str:
    """The kind that a processor of `kind` behaves like where it is told to.

    `onednn` is the value of ONEDNN_MAX_CPU_ISA (empty: unset; oneDNN's developer guide lists
    them), `aten` what `torch.backends.cpu.get_cpu_capability` says, by ATEN_CPU_CAPABILITY.
    """
    if kind not in KINDS:
        return kind
    if aten in ("DEFAULT", "NO AVX", "AVX2") or re.match(r"SSE|AVX(_|2|$)", onednn.upper()):
        most = "avx2"
    elif onednn.upper() in ("AVX512_CORE", "AVX512_CORE_VNNI"):
        most = "avx512"
    elif onednn.upper() in ("AVX512_CORE_BF16", "AVX512_CORE_FP16"):
        most = "avx512-bf16"
    else:
        most = "amx"
    return max(kind, most, key=KINDS.index)
