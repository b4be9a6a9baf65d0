"""What can be an encoder: which families, how many tokens each reads, and whether it pools."""

import json
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoConfig, BertModel, PreTrainedConfig, PreTrainedModel
from transformers.models.auto import modeling_auto as known

from classifier.errors import ClassifierError
from classifier.modeling.modeling_kinorate import KinorateConfig

_POSITIONS = "position_embeddings"  # what the table of them is called in every family that has one
_TEXT = 5  # tokens of the text that shows what an encoder reads
_NEAR = 1e-3  # of a vector's largest number: what rounding may differ by


class UnsuitableError(ClassifierError):
    """The encoder is whole, but none of which a text's vector can be had."""


def is_bert(encoder: nn.Module) -> bool:
    """Whether it is a BERT with the usual activation, for which there are faster ways."""
    return type(encoder) is BertModel and encoder.config.hidden_act == "gelu"


def read_config(folder: Path) -> PreTrainedConfig:
    """The configuration of the encoder in `folder`.

    Raises ClassifierError where it can't be read, and UnsuitableError where it is of no family
    that can be pooled: one whose code is not part of transformers, one that is no text encoder,
    and one that reads from left to right.
    """
    file = folder / "config.json"
    try:
        written = json.loads(file.read_text("utf-8"))
        if is_one_of_ours(folder):
            config: PreTrainedConfig = KinorateConfig(**written).encoder
        else:
            config = AutoConfig.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
    except Exception as error:  # in as many ways as there are damaged files
        raise _unread(file, error) from error
    kind = config.model_type
    class_name = known.MODEL_MAPPING_NAMES.get(kind)
    if class_name is None:
        raise UnsuitableError(f"{folder} is no encoder: its model_type is {kind!r}.")
    if not hasattr(config, "vocab_size") or not hasattr(config, "hidden_size"):
        raise UnsuitableError(f"{folder} is no encoder of texts: a {kind} has no vocabulary.")
    if type(config).is_encoder_decoder and kind not in known.MODEL_FOR_TEXT_ENCODING_MAPPING_NAMES:
        raise UnsuitableError(
            f"{folder} is an encoder with a decoder ({kind}), of which transformers can't load "
            "the encoder alone, as it can T5's."
        )
    decoders = known.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.keys() - _READ_BOTH_WAYS
    if kind in decoders and not written.get("use_bidirectional_attention"):
        raise _left_to_right(folder, kind)
    return config


def is_one_of_ours(folder: Path) -> bool:
    """Whether the folder holds a classifier of this project, in which the encoder is a part."""
    written = json.loads((folder / "config.json").read_text("utf-8"))
    return bool(written.get("model_type") == KinorateConfig.model_type)


_READ_BOTH_WAYS = {*known.MODEL_FOR_MASKED_LM_MAPPING_NAMES, "bert-generation", "xlnet"}
"""The families that have a class for generating texts, and read both ways all the same."""


def positions(encoder: PreTrainedModel) -> int | None:
    """How many tokens it can read at once; None where nothing limits them.

    A RoBERTa counts from the number behind its padding's: of 514 positions, texts have 512.
    """
    for name, table in encoder.named_modules():
        if name.endswith(_POSITIONS) and isinstance(table, nn.Embedding):
            before = 0 if table.padding_idx is None else table.padding_idx + 1
            return table.num_embeddings - before
    most = getattr(encoder.config, "max_position_embeddings", None)
    return most if isinstance(most, int) and most > 0 else None


@torch.inference_mode()
def check_pools(encoder: Any, folder: Path) -> None:
    """Raise UnsuitableError for an encoder of which no vector of a text can be had.

    It reads a few texts: each token has to have a vector, the first one's has to depend on the
    last one, or [CLS] would know nothing of the text, and padding has to make no difference.
    """
    kind = encoder.config.model_type
    encoder.eval()
    text = torch.arange(_TEXT).add(_TEXT)[None] % encoder.config.vocab_size
    other = text.clone()
    other[0, -1] = 2 * _TEXT % encoder.config.vocab_size
    padded = nn.functional.pad(
        text, (0, _TEXT), value=getattr(encoder.config, "pad_token_id", 0) or 0
    )

    def read(ids: torch.Tensor, length: int = _TEXT) -> torch.Tensor:
        mask = (torch.arange(ids.shape[1]) < length).long()[None]
        hidden: torch.Tensor = encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        if hidden.shape != (*ids.shape, encoder.config.hidden_size):
            raise ValueError("it has no vector for each token")
        return hidden[:, :length].float()

    try:
        whole, changed, with_padding = read(text), read(other), read(padded)
    except Exception as error:  # as many as there are architectures
        why = " ".join(str(error).split())
        raise UnsuitableError(
            f"{folder} can't be pooled: a {kind} doesn't give a vector for each token of a text "
            f"and its mask ({why:.200})."
        ) from error
    if torch.equal(whole[:, 0], changed[:, 0]):
        raise _left_to_right(folder, kind)
    if (whole - with_padding).abs().max() > _NEAR * whole.abs().max():
        raise UnsuitableError(
            f"{folder} can't be pooled: in a {kind} padding changes the vectors of a text."
        )


def _left_to_right(folder: Path, kind: str) -> UnsuitableError:
    return UnsuitableError(
        f"{folder} can't be pooled: a {kind} reads from left to right, so that its first token "
        "knows nothing of the text behind it. Encoders that read both ways are needed."
    )


def _unread(file: Path, error: Exception) -> ClassifierError:
    why = " ".join(str(error).split())
    if "trust_remote_code" in why:
        return UnsuitableError(
            f"{file} needs code of its own (auto_map), which is never run: only encoders whose "
            "code is part of transformers are taken."
        )
    if "does not recognize this architecture" in why or "Should have a `model_type` key" in why:
        return UnsuitableError(f"{file} is of no encoder that this transformers knows.")
    return ClassifierError(f"{file} can't be loaded as a model: {why:.300}")
