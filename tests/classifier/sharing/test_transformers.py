"""What a program with transformers alone makes of a pushed repository, as its card says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForSequenceClassification

from classifier.registry.version import Version
from classifier.serving.predictor import Predictor
from tests.classifier.command_line import CommandLine
from tests.classifier.reports.test_card_examples import PAIR, REVIEW, blocks, check
from tests.classifier.sharing.model_hub import ModelHub

NAME = "anna/kinorate"


@pytest.mark.slow
def test_the_cards_python_runs_against_the_hub(
    line: CommandLine,
    hub: ModelHub,
    version: Version,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    status, _, err = line.here("models", "push", version.name, NAME)
    assert (status, err) == (0, "")
    both, *usage = blocks(hub.repos[NAME].files["README.md"].decode(), "python")
    assert f'snapshot_download("{NAME}")' in both
    assert f'name = "{NAME}"' in usage[0]
    monkeypatch.delenv("HF_TOKEN")  # it is public

    def run(program: str) -> str:
        program += "\nimport sys\nassert 'classifier' not in sys.modules\n"
        done = subprocess.run(
            [sys.executable, "-I", "-c", program],
            cwd=tmp_path,
            env=os.environ | {"HF_MODULES_CACHE": str(tmp_path / "code")},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    monkeypatch.setattr("classifier.serving.predictor.compute_dtype", lambda _: torch.float32)
    predicted = Predictor(version.path, torch.device("cpu")).predict([REVIEW, *PAIR])
    check(run("\n".join(usage)), [one["cls"] for one in predicted], 32)  # cls is at the root
    printed = run(both)
    for pooling in ("cls", "mean"):
        [found] = re.findall(rf"^{pooling} .*'score': ([\d.]+)", printed, re.MULTILINE)
        assert float(found) == pytest.approx(predicted[0][pooling].confidence, abs=1e-4)


@pytest.mark.usefixtures("code_cache")
def test_a_subfolder_loads_by_the_code_at_the_root(
    line: CommandLine, hub: ModelHub, version: Version, tmp_path: Path
) -> None:
    status, _, err = line.here("models", "push", version.name, NAME)
    assert (status, err) == (0, "")
    folder = tmp_path / "snapshot"  # as snapshot_download lays it
    for path, content in hub.repos[NAME].files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    for subfolder, pooling in {"": "cls", "cls": "cls", "mean": "mean"}.items():
        model = AutoModelForSequenceClassification.from_pretrained(
            folder, subfolder=subfolder, trust_remote_code=True
        )
        assert model.config.pooling == pooling
