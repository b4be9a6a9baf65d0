"""An exported folder: what it holds, what its example answers without torch, and what is refused.

An export takes seconds, so that most tests look at one folder.
"""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from onnx import TensorProto, load

from classifier.data.tokenizer import FastTokenizer
from classifier.data.written_ratings import strip_ratings
from classifier.errors import ClassifierError
from classifier.evaluation.metrics import Metrics
from classifier.export import int8, parity
from classifier.export.folder import export
from classifier.export.onnx_model import OnnxModel
from classifier.registry.registry import Registry
from classifier.registry.version import Version
from classifier.serving.packed_model import PackedModel
from classifier.serving.predictor import Predictor
from tests.classifier.command_line import CommandLine
from tests.classifier.export.without_torch import ODD, WithoutTorch

pytestmark = pytest.mark.slow  # two real exports take seconds

FILES = (
    "README.md cls.int8.onnx cls.onnx example.py mean.int8.onnx mean.onnx parity.json"
    " rating_patterns.py settings.json tokenizer.json written_ratings.py"
)


@pytest.fixture(scope="module")
def line(
    tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Path, trained_on_few: Path
) -> CommandLine:
    """In a folder with a champion that has learnt something."""
    line = CommandLine(tmp_path_factory.mktemp("export"), tiny_encoder)
    shutil.copytree(trained_on_few / "models", line.models)
    return line


@pytest.fixture(scope="module")
def said(line: CommandLine) -> str:
    """What the export of the folder `exported` printed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(int8, "_LARGE_TABLE", 10_000)  # of a tiny encoder, as of a real one
        # Of 40 reviews, chance moves more than of the hundreds that a real version holds out.
        patch.setattr(parity, "BOUNDS", parity.Bounds(chance_reviews=4, mae_rise=0.1))
        status, out, err = line.here("export", "champion", "exported", "--int8")
    assert (status, err) == (0, "")
    return out


@pytest.fixture(scope="module")
def exported(line: CommandLine, said: str) -> Path:
    return line.folder / "exported"


@pytest.fixture(scope="module")
def champion(line: CommandLine) -> Version:
    return Registry(line.models).get("champion")


@pytest.fixture(scope="module")
def without_torch(tmp_path_factory: pytest.TempPathFactory) -> WithoutTorch:
    return WithoutTorch(tmp_path_factory.mktemp("python") / "packages")


def test_what_the_folder_holds_and_the_command_says(
    said: str, exported: Path, champion: Version
) -> None:
    assert sorted(path.name for path in exported.iterdir()) == FILES.split()
    found = json.loads((exported / "parity.json").read_text("utf-8"))
    readme = (exported / "README.md").read_text("utf-8")
    assert champion.name in readme
    assert (found["version"], found["compared_on"]) == (champion.name, "the version's holdout")
    metrics = champion.metrics()
    for name, file in found["files"].items():
        assert file["bytes"] == (exported / name).stat().st_size
        assert b"site-packages" not in (exported / name).read_bytes()  # no path of this machine
        assert f"{name}: {file['bytes'] / 1e6:.1f} MB; a logit differs by at most" in said
        assert f"| {name} | {file['largest_logit_difference']:.1e} | {file['texts']} |" in readme
        if "int8" in name:
            assert 0 < file["largest_logit_difference"] < 0.5
            theirs = metrics[name.split(".")[0]]
            assert file["rows"] == theirs["rows"] == 40
            for metric, value in file["figures_of_the_version"].items():
                assert value == pytest.approx(theirs[metric])
                assert file["figures"][metric] == pytest.approx(value, abs=0.1)
                assert f"{value:.3f}" in said
            assert f"| {name} | {file['figures']['accuracy']:.3f} |" in readme
            assert file["bytes"] < found["files"][name.replace(".int8", "")]["bytes"] / 2
        else:
            assert file["largest_logit_difference"] <= parity.BOUNDS.float32_logit
            assert file["texts"] == 40 + 4
            assert file["predict"]["largest_probability_difference"] < 0.02


def test_the_models_take_any_batch_and_any_length(exported: Path) -> None:
    session = OnnxModel(exported / "mean.onnx")._session
    shapes = {one.name: one.shape for one in [*session.get_inputs(), *session.get_outputs()]}
    assert shapes == {
        "input_ids": ["batch", "tokens"],
        "attention_mask": ["batch", "tokens"],
        "sentiment_logits": ["batch", 3],
        "sentiment_probabilities": ["batch", 3],
        "rating_logits": ["batch", 11],
        "rating_probabilities": ["batch", 11],
    }
    for batch, tokens in [(1, 1), (1, 2), (7, 1), (3, 200)]:
        ids = np.full((batch, tokens), 7)
        out = session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})
        assert [value.shape[0] for value in out] == [batch] * 4


@pytest.fixture(scope="module")
def rated(exported: Path, without_torch: WithoutTorch, texts: list[str]) -> dict[str, Any]:
    """What the example gives for `texts` and `ODD`."""
    models = ("cls.onnx", "mean.onnx", "cls.int8.onnx", "mean.int8.onnx")
    return without_torch.rate(exported, texts + ODD, *models)


def test_the_example_makes_the_tokens_that_predict_makes(
    rated: dict[str, Any], champion: Version, texts: list[str]
) -> None:
    stripped = [strip_ratings(text) for text in texts + ODD]
    assert stripped != texts + ODD
    tokens = FastTokenizer(champion.path / "cls").tokens(stripped, 64, 0.5)
    expected = [part.tolist() for part in np.split(tokens.ids, tokens.starts[1:-1])]
    assert max(map(len, expected)) == 64
    assert rated["ids"] == expected


def test_the_example_answers_what_predict_answers(
    rated: dict[str, Any], champion: Version, texts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    predictor = Predictor(champion.path, torch.device("cpu"))
    for pooling in predictor.models:
        predictor.models[pooling] = PackedModel.load(
            champion.path / pooling, torch.device("cpu"), torch.float32
        )
    differences = []  # of int8
    for row, expected in enumerate(predictor.predict(texts + ODD)):
        for pooling, prediction in expected.items():
            found = rated["answered"][f"{pooling}.onnx"][row]
            assert found["sentiment_probabilities"] == pytest.approx(
                prediction.sentiment_probabilities, abs=1e-5
            )
            assert found["rating_probabilities"] == pytest.approx(
                prediction.rating_probabilities, abs=1e-5
            )
            assert found["sentiment"] == prediction.sentiment
            assert found["rating"] == prediction.rating
            small = rated["answered"][f"{pooling}.int8.onnx"][row]
            probabilities = small["sentiment_probabilities"], prediction.sentiment_probabilities
            differences.append(np.abs(np.subtract(*probabilities)).max())
    assert max(differences) < 0.15
    assert np.mean(differences) < 0.03


def test_the_example_as_a_program(exported: Path, without_torch: WithoutTorch) -> None:
    status, out, err = without_torch.run(exported / "example.py", *ODD[:2])
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert len(lines) == 2 * 4
    for said in lines:
        assert re.fullmatch(
            r"(cls|mean)(\.int8)?: (Bad|Neutral|Good) \(\d+\.\d%\), (\d|10)/10", said
        )
    status, out, err = without_torch.run(exported / "example.py")
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert "python example.py TEXT" in err
    program = without_torch.folder / "is_there.py"
    program.write_text("import torch")
    assert "No module named 'torch'" in without_torch.run(program)[2]


def test_the_example_is_short(exported: Path) -> None:
    lines = (exported / "example.py").read_text("utf-8").splitlines()
    assert len([each for each in lines if each.strip()]) <= 55


def test_an_int8_answer_does_not_depend_on_its_batch(exported: Path, champion: Version) -> None:
    tokenizer = FastTokenizer(champion.path / "cls")
    for name in ("cls.int8.onnx", "mean.int8.onnx"):
        model = OnnxModel(exported / name)
        together = model.predict(tokenizer.tokens(ODD, 64, 0.5)).sentiment_logits
        for row, text in enumerate(ODD):
            alone = model.predict(tokenizer.tokens([text], 64, 0.5)).sentiment_logits
            assert together[row] == pytest.approx(alone[0], abs=0.01)  # a number rounds otherwise


def test_large_tables_are_int8_too(exported: Path) -> None:
    words = {one.name: one for one in load(exported / "cls.int8.onnx").graph.initializer}
    rows = [one for name, one in words.items() if name.endswith(".int8")]
    assert [(one.data_type, list(one.dims)) for one in rows] == [(TensorProto.INT8, [1500, 32])]
    assert not [one for one in words.values() if list(one.dims) == [1500, 32] and one not in rows]


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.5, 0.9, 0.999])
def test_a_model_cut_short_is_told_in_a_sentence(
    share: float, exported: Path, without_torch: WithoutTorch, tmp_path: Path
) -> None:
    folder = tmp_path / "cut"
    shutil.copytree(exported, folder, ignore=shutil.ignore_patterns("*.int8.onnx", "mean.onnx"))
    whole = (folder / "cls.onnx").read_bytes()
    (folder / "cls.onnx").write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(
        ClassifierError, match=r"cls\.onnx can't be loaded as an ONNX model: "
    ) as it:
        OnnxModel(folder / "cls.onnx")
    assert "\n" not in str(it.value)
    if share in (0.0, 0.5):  # a process takes a second
        status, out, err = without_torch.run(folder / "example.py", "Хорошо")
        assert (status, out, err.count("\n")) == (1, "", 1)
        assert err.startswith("cls.onnx can't be used: ")


# Refused


def refused(line: CommandLine, *arguments: str, models: Path | None = None) -> str:
    """The one sentence of an export that leaves everything as it was."""

    def files() -> list[Path]:
        return sorted(path for path in line.folder.rglob("*") if "cache" not in path.parts)

    before = files()
    more = () if models is None else ("--models", str(models))
    status, out, err = line.here("export", *arguments, *more)
    assert (status, err.count("\n")) == (1, 1), out + err
    assert files() == before
    return err


def test_targets_that_can_not_be_written(line: CommandLine, exported: Path) -> None:
    (line.folder / "file").write_text("?")
    assert "exported is not empty: name a new folder." in refused(line, "champion", "exported")
    assert "file is no folder: name a new folder." in refused(line, "champion", "file")
    assert "can't be written" in refused(line, "champion", "missing/folder")
    assert "can't be written" in refused(line, "champion", "file/folder")
    assert "can't be written" in refused(line, "champion", "x" * 300)


def test_versions_that_are_none(line: CommandLine, tmp_path: Path) -> None:
    assert "has no version 'wrong'" in refused(line, "wrong", "new")
    empty = tmp_path / "models" / "20260101T000000Z-00000000"
    empty.mkdir(parents=True)
    sentence = refused(line, "2026", "new", models=empty.parent)
    assert "is no complete model version: no manifest.json" in sentence
    damaged = tmp_path / "damaged"
    shutil.copytree(line.models, damaged)
    weights = next(damaged.glob("*/mean/model.safetensors"))
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    assert "is damaged: its SHA-256 differs" in refused(line, "champion", "new", models=damaged)


@pytest.mark.parametrize("package", ["onnx", "onnxruntime", "onnxscript"])
def test_without_the_extra(
    package: str, line: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, package, None)
    sentence = refused(line, "champion", "new")
    assert sentence == (
        f"Error: export needs {package}, which is not installed: the onnx extra has it, "
        "pip install -e '.[onnx]' in the project's folder.\n"
    )


@pytest.mark.parametrize("file", ["mean.onnx", "cls.int8.onnx"])
def test_what_answers_something_else_is_refused(
    file: str, line: CommandLine, exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_another(_: object, target: Path, __: object) -> None:
        shutil.copyfile(exported / file, target)

    monkeypatch.setattr("classifier.export.models.write_onnx", write_another)
    assert re.fullmatch(
        r"Error: The export with CLS pooling is refused: a logit differs from the model's by "
        r"\d\.\de[-+]0\d, more than 1e-04\.\n",
        refused(line, "champion", "new"),
    )


def metrics(rows: int = 1000, accuracy: float = 0.9, rating_mae: float | None = 1.0) -> Metrics:
    rated = {} if rating_mae is None else {"rating_mae": rating_mae}
    return {"rows": rows, "accuracy": accuracy, **rated}


@pytest.mark.parametrize(
    ("original", "worse", "figure"),
    [
        (metrics(), metrics(accuracy=0.889), "accuracy is 0.889, the model's 0.900"),
        (metrics(), metrics(rating_mae=1.06), "rating MAE is 1.060, the model's 1.000"),
        (metrics(100), metrics(100, accuracy=0.87), "accuracy is 0.870, the model's 0.900"),
        (metrics(rating_mae=None), metrics(accuracy=0.5, rating_mae=None), "accuracy is 0.500"),
    ],
)
def test_an_int8_model_that_is_worse(original: Metrics, worse: Metrics, figure: str) -> None:
    with pytest.raises(ClassifierError, match=f"with mean pooling is refused.*{figure}"):
        parity.check_int8("mean", original, worse)
    parity.check_int8("mean", original, original)


@pytest.mark.parametrize(
    ("original", "near"),
    [
        (metrics(), metrics(accuracy=0.89, rating_mae=1.05)),
        (metrics(100), metrics(100, accuracy=0.88)),  # two reviews are chance
        (metrics(), metrics(accuracy=0.95, rating_mae=0.5)),
    ],
)
def test_an_int8_model_that_is_near_enough(original: Metrics, near: Metrics) -> None:
    parity.check_int8("mean", original, near)


@pytest.mark.slow
def test_an_int8_model_that_has_lost_its_words_is_refused(
    line: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(table: np.ndarray, name: str) -> list[TensorProto]:
        return real(np.zeros_like(table), name)

    real = int8._int8_rows
    monkeypatch.setattr(int8, "_LARGE_TABLE", 10_000)
    monkeypatch.setattr(int8, "_int8_rows", lost)
    assert "int8 export with CLS pooling is refused: its" in refused(
        line, "champion", "new", "--int8"
    )


# Other versions


@pytest.mark.slow
def test_a_version_whose_holdout_is_lost_is_compared_on_the_sample(
    two_versions: Path, tmp_path: Path
) -> None:
    """And one that does not say what it was trained on, in an empty folder that exists."""
    target = tmp_path / "new"
    lines: list[str] = []
    target.mkdir()
    version = Registry(two_versions).get("champion")
    found = export(version, target, int8=False, cache=tmp_path, say=lines.append)
    compared_on = found["compared_on"]
    assert re.match(r"the bundled sample, since the holdout can't be had \(.*\)", compared_on)
    assert f"Compared with the version on {compared_on}." in lines
    assert found["files"]["cls.onnx"]["texts"] == 128 + 4
    assert compared_on[:30] in (target / "README.md").read_text("utf-8")
    assert sorted(found["files"]) == ["cls.onnx", "mean.onnx"]
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
