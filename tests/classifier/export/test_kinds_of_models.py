"""Exports of other encoders, of models with one head, of large ones; kills and full disks."""

import json
import re
import shutil
import signal
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from classifier.data.tokenizer import FastTokenizer
from classifier.data.written_ratings import strip_ratings
from classifier.export import graph, int8
from classifier.export.folder import export
from classifier.export.onnx_model import OnnxModel
from classifier.export.parity import original_outputs
from classifier.modeling.loading import load_classifier
from classifier.modeling.outputs import answers_of
from classifier.modeling.temperature import calibrated_probabilities
from classifier.registry.version import Version
from tests import families, tiny
from tests.classifier.command_line import CommandLine
from tests.classifier.export.without_torch import ODD, WithoutTorch
from tests.contracts.test_full_disk import leave, small_disk

__all__ = ["small_disk"]


@pytest.fixture(scope="module")
def without_torch(tmp_path_factory: pytest.TempPathFactory) -> WithoutTorch:
    return WithoutTorch(tmp_path_factory.mktemp("python") / "packages")


def check_example(version: Version, exported: Path, without_torch: WithoutTorch) -> None:
    """The example's tokens and answers are the version's, computed in float32."""
    rated = without_torch.rate(exported, ODD, "cls.onnx", "mean.onnx")
    for pooling in ("cls", "mean"):
        model = load_classifier(version.path / pooling).eval()
        tokenizer = FastTokenizer(version.path / pooling)
        stripped = [strip_ratings(text) for text in ODD]
        tokens = tokenizer.tokens(stripped, model.config.max_tokens, model.config.head_share)
        assert rated["ids"] == [ids.tolist() for ids in np.split(tokens.ids, tokens.starts[1:-1])]
        outputs = original_outputs(model, tokens)
        shown = answers_of(outputs)
        probabilities = calibrated_probabilities(outputs.sentiment_logits)
        for row, answer in enumerate(rated["answered"][f"{pooling}.onnx"]):
            found = answer["sentiment_probabilities"]
            assert found == pytest.approx(probabilities[row].tolist(), abs=1e-5)
            assert answer.get("rating") == (None if shown.rating is None else shown.rating[row])


@pytest.mark.slow
@pytest.mark.parametrize("family", ["roberta", "modernbert", "deberta-v2", "t5"])
def test_encoders_of_other_families(
    family: str, tmp_path: Path, without_torch: WithoutTorch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(int8, "_LARGE_TABLE", 10_000)
    encoder = families.write_encoder(tmp_path / "encoder", family)
    version = tiny.publish_untrained(tmp_path / "models", encoder)
    exported = tmp_path / "exported"
    export(version, exported, int8=False, cache=tmp_path / "cache", say=lambda _: None)
    check_example(version, exported, without_torch)
    for pooling in ("cls", "mean"):
        int8.write_int8(exported / f"{pooling}.onnx", tmp_path / "small.onnx")
        tokens = FastTokenizer(version.path / pooling).tokens(ODD, 64, 0.5)
        whole = OnnxModel(exported / f"{pooling}.onnx").predict(tokens).sentiment_logits
        small = OnnxModel(tmp_path / "small.onnx").predict(tokens).sentiment_logits
        assert 0 < np.abs(whole - small).max() < 0.2


@pytest.mark.slow
def test_models_with_one_head_in_two_files(
    tiny_encoder: Path, tmp_path: Path, without_torch: WithoutTorch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the weights are too large for one file."""
    monkeypatch.setattr(graph, "MOST_IN_ONE_FILE", 0)
    monkeypatch.setattr(int8, "MOST_IN_ONE_FILE", 0)
    recipe = replace(tiny.RECIPE, rating_head=False)
    version = tiny.publish_untrained(tmp_path / "models", tiny_encoder, 0, recipe)
    exported = tmp_path / "exported"
    found = export(version, exported, int8=False, cache=tmp_path / "cache", say=lambda _: None)
    weights = (exported / "mean.onnx.data").stat().st_size
    assert weights > 200_000
    assert found["files"]["mean.onnx"]["bytes"] == (
        weights + (exported / "mean.onnx").stat().st_size
    )
    readme = (exported / "README.md").read_text("utf-8")
    assert "rating_logits" not in readme
    assert "from 0 to 10" not in readme
    assert "| mean.onnx, mean.onnx.data |" in readme
    int8.write_int8(exported / "mean.onnx", exported / "mean.int8.onnx")
    moved = tmp_path / "moved"
    exported.rename(moved)
    check_example(version, moved, without_torch)
    status, out, err = without_torch.run(moved / "example.py", "Хорошо")
    assert (status, err) == (0, "")
    assert re.fullmatch(r"((cls|mean)(\.int8)?: (Bad|Neutral|Good) \(\d+\.\d%\)\n){3}", out)
    (moved / "mean.onnx.data").unlink()
    (moved / "mean.int8.onnx").unlink()
    status, out, err = without_torch.run(moved / "example.py", "Хорошо")
    assert (status, err.count("\n"), "mean.onnx can't be used" in err) == (1, 1, True)


@pytest.fixture
def line(tmp_path: Path, tiny_encoder: Path, two_versions: Path) -> CommandLine:
    line = CommandLine(tmp_path, tiny_encoder)
    shutil.copytree(two_versions, line.models)
    return line


@pytest.mark.slow
def test_a_killed_export_leaves_nothing_behind_the_next_one(line: CommandLine) -> None:
    process = line.start("-m", "classifier", "export", "champion", "out")
    deadline = time.monotonic() + 300
    while not list(line.folder.glob(".out.*.tmp/mean.onnx")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (line.folder / "out").exists()
    assert list(line.folder.glob(".out.*.tmp"))
    status, _, err = line.here("export", "champion", "out")
    assert (status, err) == (0, "")
    left = {path.name for path in line.folder.iterdir()}
    assert left <= {"out", "models", "cache"}
    assert json.loads((line.folder / "out" / "parity.json").read_text())["files"]


@pytest.mark.slow
@pytest.mark.parametrize("kibibytes", [0, 200, 700])
def test_an_export_meets_a_full_disk(line: CommandLine, small_disk: Path, kibibytes: int) -> None:
    target = small_disk / "out"
    ballast = leave(small_disk, kibibytes)
    status, _, err = line.here("export", "champion", str(target))
    assert (status, err) == (
        1,
        f"Error: The disk is full: nothing was written to {target}; free some space and try "
        "again.\n",
    )
    assert [path.name for path in small_disk.iterdir()] == ["ballast"]
    ballast.unlink()
    status, _, err = line.here("export", "champion", str(target))
    assert (status, err) == (0, "")
