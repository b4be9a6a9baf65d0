"""Where the encoder comes from: a folder, the hub, its cache, and the stand-in without a hub."""

import importlib.metadata
import os
import shutil
import sys
from pathlib import Path

import pytest
import torch
from huggingface_hub.errors import LocalEntryNotFoundError
from transformers import AutoModel, AutoTokenizer

from classifier.data.hub import DEFAULT_ENCODER, hub_unreachable
from classifier.errors import ClassifierError
from classifier.modeling import encoders, stand_in
from classifier.modeling.encoders import find_encoder

HAS_STAND_IN = bool(list(importlib.metadata.distributions(name=stand_in.PACKAGE)))
needs_stand_in = pytest.mark.skipif(not HAS_STAND_IN, reason="silero-stress is not installed")


@pytest.fixture(autouse=True)
def _no_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    hub_unreachable.cache_clear()


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache into which the stand-in has been unpacked once."""
    cache = tmp_path_factory.mktemp("cache")
    stand_in.stand_in_folder(cache, "no hub")
    return cache


def test_a_folder_is_taken_as_it_is(tiny_encoder: Path, tmp_path: Path) -> None:
    found = find_encoder(str(tiny_encoder), tmp_path)
    assert (found.folder, found.stand_in) == (tiny_encoder, False)
    assert found.origin == "the folder tiny"
    assert found.positions == 256


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_folder_that_lacks_a_file_is_refused_by_its_name(
    missing: str, tiny_encoder: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(tiny_encoder, tmp_path / "encoder"))
    (folder / missing).unlink()
    (folder / "vocab.txt").unlink(missing_ok=True)
    with pytest.raises(ClassifierError, match=f"no encoder: .*{missing}"):
        find_encoder(str(folder), tmp_path)


def test_pickled_weights_are_never_an_encoder(tiny_encoder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_encoder, tmp_path / "encoder"))
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ClassifierError, match="no pickle"):
        find_encoder(str(folder), tmp_path)


def test_a_download_that_breaks_off_is_named_and_does_without_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class ReadError(Exception):  # httpx2's is no OSError
        """The connection broke."""

    def breaks_off(*_: object, local_files_only: bool, **__: object) -> None:
        raise (
            LocalEntryNotFoundError("not cached") if local_files_only else ReadError("timed out")
        )

    monkeypatch.setattr(encoders, "hub_unreachable", lambda: None)
    monkeypatch.setattr(encoders, "snapshot_download", breaks_off)
    why = r"the download failed \(ReadError: timed out\), and it is not in the local cache"
    with pytest.raises(ClassifierError, match=why):
        find_encoder("owner/other", tmp_path)


def test_a_full_disk_is_no_reason_to_do_without_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(encoders, "hub_unreachable", lambda: None)
    monkeypatch.setattr(encoders, "snapshot_download", full)
    with pytest.raises(ClassifierError, match=r"disk is full: nothing was written to .*hub"):
        find_encoder(DEFAULT_ENCODER, tmp_path)


@pytest.mark.parametrize("name", ["no-such-folder", "./models/none", "a/b/c", "/nowhere/at/all"])
def test_what_is_neither_folder_nor_hub_id_is_said(name: str, tmp_path: Path) -> None:
    with pytest.raises(ClassifierError, match=f"--encoder {name}: no such folder"):
        find_encoder(name, tmp_path)


def test_another_hub_id_without_a_hub_has_no_stand_in(tmp_path: Path) -> None:
    with pytest.raises(ClassifierError, match=r"HF_HUB_OFFLINE is set, and it is not in the local"):
        find_encoder("someone/some-bert", tmp_path)


def test_without_the_package_it_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stand_in, "PACKAGE", "silero-stress-that-is-not-there")
    with pytest.raises(ClassifierError, match=r"HF_HUB_OFFLINE is set, .* pip install"):
        find_encoder(DEFAULT_ENCODER, tmp_path)


@needs_stand_in
def test_without_the_hub_the_stand_in_serves_and_says_so(unpacked: Path) -> None:
    found = find_encoder(DEFAULT_ENCODER, unpacked)
    assert found.stand_in
    assert found.origin == (
        f"silero-stress from PyPI, a stand-in of the same shape for {DEFAULT_ENCODER}: "
        "HF_HUB_OFFLINE is set"
    )


@needs_stand_in
def test_the_stand_in_has_the_shapes_of_rubert_tiny2(unpacked: Path) -> None:
    folder = find_encoder(DEFAULT_ENCODER, unpacked).folder
    model = AutoModel.from_pretrained(folder, local_files_only=True)
    config = model.config
    assert (config.num_hidden_layers, config.hidden_size, config.vocab_size) == (3, 312, 83_828)
    assert sum(p.numel() for p in model.parameters()) == pytest.approx(29.2e6, rel=0.01)
    # Its weights are trained ones: word vectors have another spread than BERT's first draw.
    spread = model.embeddings.word_embeddings.weight.std().item()
    assert abs(spread - config.initializer_range) > 0.005
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    pieces = tokenizer.tokenize("Прекрасный фильм, пересмотрю ещё раз")
    assert {"фильм", ",", "раз"} <= set(pieces)
    assert tokenizer.unk_token not in pieces
    ids = tokenizer("Скучно", return_tensors="pt")
    with torch.no_grad():
        assert torch.isfinite(model(**ids).last_hidden_state).all()


@needs_stand_in
def test_it_is_unpacked_once_and_runs_none_of_the_package_s_code(unpacked: Path) -> None:
    folder = find_encoder(DEFAULT_ENCODER, unpacked).folder
    before = {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}
    assert set(before) == {"config.json", "model.safetensors", "tokenizer_config.json", "vocab.txt"}
    find_encoder(DEFAULT_ENCODER, unpacked)
    assert {file.name: file.stat().st_mtime_ns for file in folder.iterdir()} == before
    assert not [name for name in sys.modules if name.startswith("silero")]
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
