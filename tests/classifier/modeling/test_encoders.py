"""Where the encoder comes from: a folder, the hub, its cache, and the stand-in without a hub."""

import importlib.metadata
import json
import os
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from classifier.data import hub_files
from classifier.data.hub import DEFAULT_ENCODER, ENCODER_REVISION, hub_unreachable
from classifier.data.tokenizer import load_tokenizer
from classifier.errors import ClassifierError
from classifier.modeling import encoders, stand_in
from classifier.modeling.encoders import Encoder, find_encoder
from classifier.modeling.families import UnsuitableError
from classifier.modeling.loading import load_encoder
from tests.classifier.data import local_hub
from tests.classifier.data.local_hub import LocalHub

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


FILES = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")
STARTED = Callable[[dict[str, bytes]], LocalHub]


@pytest.fixture
def hub(
    local_hub: STARTED, tiny_encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> LocalHub:
    """A hub that has the tiny encoder under the default one's name; the stand-in is a folder."""
    stand_in = Path(shutil.copytree(tiny_encoder, tmp_path / "stand-in"))
    monkeypatch.setattr(encoders, "stand_in_folder", lambda *_: stand_in)
    return local_hub({name: (tiny_encoder / name).read_bytes() for name in FILES})


def found(cache: Path, silence_seconds: float = 10) -> Encoder:
    return find_encoder(DEFAULT_ENCODER, cache, silence_seconds=silence_seconds)


def test_the_hub_then_its_cache(hub: LocalHub, tmp_path: Path) -> None:
    first = found(tmp_path)
    assert first.origin == f"{DEFAULT_ENCODER} from the hub"
    assert {file.name for file in first.folder.iterdir()} == set(FILES)
    hub.moods["config.json"] = "500"
    cached = found(tmp_path)
    why = f"the hub answered 500 for {DEFAULT_ENCODER}"
    assert cached.origin == f"{DEFAULT_ENCODER} from the local cache: {why}"
    assert cached.folder == first.folder


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["gone", "cut", "changed", "dangling"])
def test_half_a_cache_is_as_none(
    hub: LocalHub, name: str, damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = found(tmp_path)
    file = whole.folder / name
    content = file.read_bytes()
    if damage == "gone":
        file.unlink()
    elif damage == "dangling":
        file.resolve().unlink()
    else:
        file.resolve().write_bytes(content[:-9] if damage == "cut" else content[:-9] + b"x" * 9)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    hub_unreachable.cache_clear()
    without = found(tmp_path)
    if name == "tokenizer_config.json" and damage in ("gone", "dangling"):
        assert not without.stand_in  # the tokenizer does without
    else:
        assert without.stand_in
        assert without.origin.endswith(": HF_HUB_OFFLINE is set")
    monkeypatch.delenv("HF_HUB_OFFLINE")
    hub_unreachable.cache_clear()
    assert found(tmp_path).origin == f"{DEFAULT_ENCODER} from the hub"
    assert file.read_bytes() == content


def test_the_default_encoder_is_of_one_commit_and_another_is_as_asked(
    hub: LocalHub, tmp_path: Path
) -> None:
    assert found(tmp_path).revision == ENCODER_REVISION
    asked = [path.split("/resolve/")[1] for path in hub.asked if "/resolve/" in path]
    assert {path.split("/")[0] for path in asked} == {ENCODER_REVISION}
    assert find_encoder("owner/tiny", tmp_path).revision == local_hub.COMMIT
    commit = "decade" * 6 + "deca"
    another = find_encoder(f"owner/tiny@{commit}", tmp_path)
    assert (another.name, another.revision) == ("owner/tiny", commit)
    with pytest.raises(ClassifierError, match="owner/tiny@main: no commit, which has 40 hex"):
        find_encoder("owner/tiny@main", tmp_path)


def test_what_can_t_be_pooled_is_said_of_the_hub_s_too_and_is_not_damaged(
    hub: LocalHub, tmp_path: Path
) -> None:
    config = json.loads(hub.files["config.json"]) | {"is_decoder": True}
    hub.files["config.json"] = json.dumps(config).encode()
    with pytest.raises(UnsuitableError, match=r"^owner/tiny can't be pooled: a bert reads"):
        find_encoder("owner/tiny", tmp_path)
    hub.files["config.json"] = b'{"model_type": "gpt2"}'
    with pytest.raises(UnsuitableError, match="a gpt2 reads from left to right"):
        find_encoder(f"owner/tiny@{'decade' * 6}deca", tmp_path)


def test_another_commit_than_asked_for_is_not_taken(hub: LocalHub, tmp_path: Path) -> None:
    hub.has_commits = False
    assert found(tmp_path).origin.endswith(
        f"the hub answers with another commit than {ENCODER_REVISION}"
    )


def test_a_tokenizer_runs_no_code_of_its_own(tiny_encoder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_encoder, tmp_path / "encoder"))
    settings = folder / "tokenizer_config.json"
    own = {"tokenizer_class": "Own", "auto_map": {"AutoTokenizer": ["own.Own", None]}}
    settings.write_text(json.dumps(json.loads(settings.read_text()) | own))
    (folder / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Own: ...\n")
    with suppress(ClassifierError):
        load_tokenizer(folder)
    assert not (tmp_path / "ran").exists()


def test_a_model_is_never_loaded_from_a_pickle(
    tiny_encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(shutil.copytree(tiny_encoder, tmp_path / "encoder"))
    torch.save(AutoModel.from_pretrained(folder).state_dict(), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(ClassifierError, match="can't be loaded as a model"):
        load_encoder(folder)


def test_a_newer_commit_that_comes_by_half_leaves_the_older(
    hub: LocalHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoders, "ENCODER_REVISION", "main")
    whole = found(tmp_path)
    monkeypatch.setattr(local_hub, "COMMIT", "decade" * 6 + "deca")
    hub.files["config.json"] += b"\n"
    hub.files["model.safetensors"] += b"\n"
    hub.moods["model.safetensors"] = "500"
    assert found(tmp_path, silence_seconds=1).folder == whole.folder


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("mood", local_hub.MOODS)
def test_whatever_the_hub_does_with_a_file(
    hub: LocalHub, mood: str, name: str, tmp_path: Path
) -> None:
    hub.moods[name] = mood
    taken = found(tmp_path, silence_seconds=1)
    assert "\n" not in taken.origin
    if not taken.stand_in:
        assert taken.origin == f"{DEFAULT_ENCODER} from the hub"
        for file in taken.folder.iterdir():
            assert file.name == "tokenizer_config.json" or (
                file.read_bytes() == hub.files[file.name]
            )
        assert "size" in mood or name == "tokenizer_config.json"
    hub.moods["config.json"] = "500"
    with pytest.raises(ClassifierError, match="--encoder owner/tiny: the hub") as raised:
        find_encoder("owner/tiny", tmp_path, silence_seconds=1)
    assert "\n" not in str(raised.value)


def test_a_full_disk_is_no_reason_to_do_without_the_hub(
    hub: LocalHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(hub_files, "hf_hub_download", full)
    with pytest.raises(ClassifierError, match=r"disk is full: nothing was written to .*hub"):
        found(tmp_path)


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
