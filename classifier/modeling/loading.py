"""Encoders and finished classifiers from folders: whole ones of finite numbers, or one sentence."""

import json
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedConfig, PreTrainedModel

from classifier.errors import ClassifierError
from classifier.modeling.classifier import PoolingClassifier
from classifier.modeling.families import is_one_of_ours, read_config
from classifier.modeling.modeling_kinorate import (
    KinorateConfig,
    KinorateModel,
    auto_model,
    without_pooler,
)

_OLD = "bert."  # what weights of the encoder begin with in versions of earlier code
_ATTENTION_DROPOUT = ("attention_probs_dropout_prob", "attention_dropout")  # as families call it


def load_classifier(folder: Path) -> PoolingClassifier:
    """The classifier in `folder`, as a version has it; ClassifierError where it can't be loaded."""
    settings: dict[str, Any] = {}
    try:
        config = json.loads((folder / "config.json").read_text("utf-8"))
        if "encoder" not in config:  # a version of earlier code: a BERT's settings among ours
            settings = {
                "config": KinorateConfig(encoder=config, **_ours(config)),
                "key_mapping": {f"^{_OLD}": "encoder."},
            }
    except (OSError, ValueError, TypeError) as error:
        raise _refused(folder, error) from error
    model = _load(PoolingClassifier, folder, **settings)
    assert isinstance(model, PoolingClassifier)
    return model


def load_encoder(folder: Path, config: PreTrainedConfig | None = None) -> PreTrainedModel:
    """The encoder in `folder` in float32, with another configuration than its own if given.

    Raises ClassifierError where it can't be loaded.
    """
    config = config or read_config(folder)
    if is_one_of_ours(folder):
        whole = _load(KinorateModel, folder, config=KinorateConfig(encoder=config))
        part: PreTrainedModel = whole.encoder
        return part
    pooler = without_pooler(config)
    model: PreTrainedModel = _load(
        auto_model(config), folder, config=config, trust_remote_code=False, **pooler
    )
    return model


def classifier_on(folder: Path, *, attention_dropout: bool, **settings: Any) -> PoolingClassifier:
    """The encoder in `folder` with heads drawn at random; `settings` are of `KinorateConfig`.

    Raises ClassifierError as `read_config` and `load_encoder` do.
    """
    config = read_config(folder)
    if not attention_dropout:
        for name in _ATTENTION_DROPOUT:
            if hasattr(config, name):
                setattr(config, name, 0.0)
    encoder = load_encoder(folder, config)
    encoder.config._name_or_path = ""  # a path of this machine
    attention = {"encoder": encoder.config._attn_implementation}  # else it would be forgotten
    settings |= {"encoder": encoder.config, "attn_implementation": attention}
    return PoolingClassifier(KinorateConfig(**settings), encoder)


def _load(kind: Any, folder: Path, **settings: Any) -> Any:
    """`from_pretrained` would draw missing weights at random without an error."""
    try:
        model, report = kind.from_pretrained(
            folder,
            dtype=torch.float32,
            local_files_only=True,
            use_safetensors=True,
            output_loading_info=True,
            **settings,
        )
    except Exception as error:  # a damaged folder fails in as many ways as it has files
        raise _refused(folder, error) from error
    if missing := sorted(report["missing_keys"]):
        raise ClassifierError(
            f"{folder} can't be loaded as a model: {len(missing)} of its weights are missing, "
            f"{missing[0]} for one."
        )
    for name, weight in model.named_parameters():
        if not torch.isfinite(weight).all():
            raise ClassifierError(
                f"{folder / 'model.safetensors'} can't be loaded as a model: its {name} holds "
                "something else than finite numbers."
            )
    return model


def _refused(folder: Path, error: Exception) -> ClassifierError:
    why = " ".join(str(error).split())
    return ClassifierError(f"{folder} can't be loaded as a model: {why:.300}")


def _ours(config: dict[str, Any]) -> dict[str, Any]:
    names = ("pooling", "rating_head", "max_tokens", "head_share", "keep_ratings", "temperature")
    return {name: config[name] for name in names if name in config}
