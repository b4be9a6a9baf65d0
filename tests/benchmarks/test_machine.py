"""The kind of a processor, by which results are kept."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import machine
from benchmarks.kinds import allowed_kind, kind_of
from classifier.errors import ClassifierError

_FLAGS = ["avx2", "avx512_f", "avx512_bf16", "amx_bf16"]


@pytest.mark.parametrize(
    ("flags", "kind"),
    [(_FLAGS, "amx"), (_FLAGS[:3], "avx512-bf16"), (_FLAGS[:2], "avx512"), (_FLAGS[:1], "avx2")],
)
def test_the_kind_is_that_of_the_fastest_products(flags: list[str], kind: str) -> None:
    assert kind_of({"device": "cpu", "flags": flags}) == kind


def test_a_gpu_is_a_kind_of_its_own() -> None:
    assert kind_of({"device": "NVIDIA H200", "flags": _FLAGS}) == "nvidia-h200"


@pytest.mark.parametrize(
    ("onednn", "aten", "kind"),
    [
        ("", "AVX512", "amx"),
        ("AVX512_CORE_AMX", "AVX512", "amx"),
        ("AVX512_CORE_BF16", "AVX512", "avx512-bf16"),
        ("avx512_core_vnni", "AVX512", "avx512"),
        ("AVX2_VNNI", "AVX512", "avx2"),
        ("", "AVX2", "avx2"),
    ],
)
def test_what_torch_is_told_to_leave_counts(onednn: str, aten: str, kind: str) -> None:
    assert allowed_kind("amx", onednn, aten) == kind
    assert allowed_kind("avx2", onednn, aten) == "avx2", "it makes no processor faster"
    assert allowed_kind("nvidia-h200", onednn, aten) == "nvidia-h200"


def test_emulated_results_replace_emulated_ones_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def conditions() -> dict[str, Any]:
        return {"machine": {"kind": "avx2", "emulated": True}}

    monkeypatch.setattr(machine, "RESULTS", tmp_path)
    monkeypatch.setattr(machine, "conditions", conditions)
    path = machine.path_by_kind("serving")
    assert path == tmp_path / "avx2" / "serving.json"
    path.parent.mkdir()
    path.write_text(json.dumps(conditions()), encoding="utf-8")
    assert machine.path_by_kind("serving") == path
    path.write_text(json.dumps({"machine": {"kind": "avx2"}}), encoding="utf-8")
    with pytest.raises(ClassifierError, match="only behaves like it: name another file by --json"):
        machine.path_by_kind("serving")
