"""The same command under torchrun: two processes on the CPU find what one finds."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from classifier.distributed import Group, training_group

ROOT = Path(__file__).resolve().parents[2]
Rows = list[dict[str, Any]]


def train(folder: Path, encoder: Path, rows: Rows, processes: int) -> tuple[dict[str, Any], str]:
    """The figures of a training by so many processes, and what was printed."""
    folder.mkdir()
    lines = (json.dumps(row, ensure_ascii=False) for row in rows)
    (folder / "reviews.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    start = ["-m", "classifier"]
    if processes > 1:
        start = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
        start += ["-m", "classifier"]
    start += ["train", "--reviews", "reviews.jsonl", "--encoder", str(encoder)]
    start += ["--max-tokens", "32", "--epochs", "6", "--batch-size", "8"]
    done = subprocess.run(
        [sys.executable, *start, "--learning-rate", "0.005", "--json", "figures.json"],
        cwd=folder,
        env=os.environ
        | {
            "PYTHONPATH": str(ROOT),
            "HF_HUB_OFFLINE": "1",
            "OMP_NUM_THREADS": "1",
            "KINORATE_CACHE": str(folder / "cache"),
        },
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "figures.json").read_text()), done.stdout


@pytest.mark.slow
def test_two_processes_reach_the_figures_of_one(
    tmp_path: Path, tiny_encoder: Path, make_rows: Callable[[int], Rows]
) -> None:
    # Without dropout, which each process draws for itself, the two do the same sums.
    encoder = Path(shutil.copytree(tiny_encoder, tmp_path / "encoder"))
    config = json.loads((encoder / "config.json").read_text())
    (encoder / "config.json").write_text(json.dumps(config | {"hidden_dropout_prob": 0.0}))
    rows = make_rows(240)
    alone, _ = train(tmp_path / "one", encoder, rows, 1)
    together, out = train(tmp_path / "two", encoder, rows, 2)
    assert out.count("Writing the report.") == 1, "the first process alone speaks"
    assert len(list((tmp_path / "two" / "models").glob("2*"))) == 1
    for pooling in ("cls", "mean"):
        one, two = alone[pooling], together[pooling]
        assert one["rows"] == two["rows"]
        assert one["accuracy"] > 0.8
        assert two["accuracy"] == pytest.approx(one["accuracy"], abs=0.03)
        assert two["rating_mae"] == pytest.approx(one["rating_mae"], abs=0.1)


def test_without_torchrun_a_process_is_a_group_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    with training_group() as group:
        assert (group.rank, group.size, group.is_first) == (0, 1, True)
        values = torch.arange(3.0)
        assert torch.equal(group.total(values.clone()), values)
        model = torch.nn.Linear(2, 2)
        assert group.replicate(model) is model
        group.wait()


def test_only_the_first_process_speaks() -> None:
    device = torch.device("cpu")
    assert [Group(rank, 2, device).is_first for rank in (0, 1)] == [True, False]
