"""The same command under torchrun: two processes on the CPU find what one finds."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from classifier.errors import ClassifierError
from classifier.training.distributed import Group, training_group
from tests.classifier.command_line import CommandLine

Rows = list[dict[str, Any]]


def train(line: CommandLine, rows: Rows, processes: int) -> tuple[dict[str, Any], str]:
    """The figures of a training by so many processes, and what was printed."""
    lines = (json.dumps(row, ensure_ascii=False) for row in rows)
    (line.folder / "reviews.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    options = ["train", "--reviews", "reviews.jsonl", "--encoder", str(line.encoder)]
    options += ["--max-tokens", "32", "--epochs", "6", "--batch-size", "8"]
    options += ["--learning-rate", "0.002", "--json", "figures.json"]
    if processes == 1:
        status, out, err = line.here(*options)
    else:
        torchrun = ("-m", "torch.distributed.run", "--standalone")
        python = (*torchrun, f"--nproc-per-node={processes}", "-m", "classifier")
        status, out, err = line.run(*options, python=python)
        if "SIGSEGV" in err:  # seldom, in torch's own code; why is not known
            status, out, err = line.run(*options, python=python)
    assert status == 0, err
    return json.loads((line.folder / "figures.json").read_text()), out


@pytest.mark.slow
def test_two_processes_reach_the_figures_of_one(
    tmp_path: Path, tiny_encoder: Path, make_rows: Callable[[int], Rows]
) -> None:
    # Without dropout, which each process draws for itself, the two do the same sums.
    encoder = Path(shutil.copytree(tiny_encoder, tmp_path / "encoder"))
    config = json.loads((encoder / "config.json").read_text())
    (encoder / "config.json").write_text(json.dumps(config | {"hidden_dropout_prob": 0.0}))
    rows = make_rows(240)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    single, pair = (CommandLine(tmp_path / name, encoder) for name in ("one", "two"))
    alone, _ = train(single, rows, 1)
    together, out = train(pair, rows, 2)
    assert out.count("Writing the report.") == 1, "the first process alone speaks"
    assert len(list(pair.models.glob("2*"))) == 1
    for pooling in ("cls", "mean"):
        one, two = alone[pooling], together[pooling]
        assert one["rows"] == two["rows"]
        assert one["accuracy"] > 0.8
        # The sums come in another order, which six epochs magnify: at a rate of 0.005 beyond this.
        assert two["accuracy"] == pytest.approx(one["accuracy"], abs=2.1 / one["rows"])
        assert two["rating_mae"] == pytest.approx(one["rating_mae"], abs=0.2)


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


def test_more_processes_than_gpus_are_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    for name, value in (("RANK", "1"), ("WORLD_SIZE", "2"), ("LOCAL_RANK", "1")):
        monkeypatch.setenv(name, value)
    with pytest.raises(ClassifierError, match="torchrun --nproc-per-node 1"), training_group():
        pass
