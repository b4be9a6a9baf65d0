"""What prediction needs to know of a model's config.json, and whether its weights agree with it."""

import json
import math
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from classifier.errors import ClassifierError
from classifier.labels import RATINGS, SENTIMENTS
from classifier.modeling.pooling import POOLINGS


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_positive(value: object) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and 0 < value < math.inf  # type: ignore[operator]


_SOUND: dict[str, Callable[[Any], bool]] = {
    "pooling": lambda value: isinstance(value, str) and value in POOLINGS,
    "rating_head": lambda value: isinstance(value, bool),
    "keep_ratings": lambda value: isinstance(value, bool),
    "max_tokens": lambda value: _is_count(value) and value > 2,
    "head_share": lambda value: value == 0 or (_is_positive(value) and value <= 1),
    "temperature": _is_positive,
    "layer_norm_eps": _is_positive,
}
"""What each setting may be; those that are not here are counts."""


@dataclass(frozen=True)
class ServedConfig:
    """The settings that every model has in its config.json, by the names there.

    See `KinorateConfig`, in which those of the encoder stand by themselves. In versions of earlier
    code they stand beside ours, for it is a BERT.
    """

    pooling: str
    rating_head: bool
    max_tokens: int
    head_share: float
    keep_ratings: bool
    temperature: float

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Raises ClassifierError where there is none that can be served."""
        file = folder / "config.json"
        return cls.of(written_config(file), file)

    @classmethod
    def of(cls, config: dict[str, Any], file: Path) -> Self:
        """The settings in `file`; ClassifierError where they can't be served."""
        encoder = config.get("encoder", config)
        if not isinstance(encoder, dict) or not isinstance(encoder.get("model_type"), str):
            raise refused(file, f"its encoder is {encoder!r:.40}")
        values = encoder | {name: value for name, value in config.items() if name != "encoder"}
        names = [field.name for field in fields(cls)]
        for name in names:
            if name not in values:
                raise refused(file, f"it has no {name}")
            if not _SOUND.get(name, _is_count)(values[name]):
                raise refused(file, f"its {name} is {values[name]!r:.40}")
        return cls(**{name: values[name] for name in names})


@dataclass(frozen=True)
class PackedConfig(ServedConfig):
    """The settings of a model whose encoder is a BERT, and what its layers are."""

    vocab_size: int
    max_position_embeddings: int
    type_vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    layer_norm_eps: float

    @classmethod
    def of(cls, config: dict[str, Any], file: Path) -> Self:
        """As `ServedConfig.of`."""
        found = super().of(config, file)
        if found.hidden_size % found.num_attention_heads:
            raise refused(file, "its num_attention_heads do not divide its hidden_size")
        if found.max_tokens > found.max_position_embeddings:
            raise refused(file, "its max_tokens are more than its max_position_embeddings")
        return found

    def check(self, tensors: Mapping[str, Tensor], file: Path) -> None:
        """Raise ClassifierError unless these are the tensors of such a model, and are numbers."""
        known = set()
        for name, shape in self._shapes(prefix_of(tensors)):
            known.add(name)
            if name not in tensors:
                raise refused(file, f"it has no {name}")
            found = tensors[name]
            if tuple(found.shape) != shape:
                raise refused(file, f"its {name} is {list(found.shape)}, not {list(shape)}")
            if not found.is_floating_point() or not _are_numbers(found):
                raise refused(file, f"its {name} holds something else than finite numbers")
        if more := sorted(tensors.keys() - known):
            raise refused(file, f"the model of its config.json has no {more[0]}")

    def _shapes(self, prefix: str) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Every tensor's name and shape, one by one: a damaged file may say a million layers."""
        hidden, wide = self.hidden_size, self.intermediate_size
        at = f"{prefix}embeddings."
        yield f"{at}word_embeddings.weight", (self.vocab_size, hidden)
        yield f"{at}token_type_embeddings.weight", (self.type_vocab_size, hidden)
        yield f"{at}position_embeddings.weight", (self.max_position_embeddings, hidden)
        yield from _pair(f"{at}LayerNorm", (hidden,))
        yield from _pair("sentiment_head", (len(SENTIMENTS), hidden))
        if self.rating_head:
            yield from _pair("rating_head", (len(RATINGS), hidden))
        of_layer = {
            **{f"attention.self.{name}": (hidden, hidden) for name in ("query", "key", "value")},
            "attention.output.dense": (hidden, hidden),
            "attention.output.LayerNorm": (hidden,),
            "intermediate.dense": (wide, hidden),
            "output.dense": (hidden, wide),
            "output.LayerNorm": (hidden,),
        }
        for layer in range(self.num_hidden_layers):
            for name, shape in of_layer.items():
                yield from _pair(f"{prefix}encoder.layer.{layer}.{name}", shape)


def written_config(file: Path) -> dict[str, Any]:
    """What the file of a model's settings holds; ClassifierError where that is none."""
    try:
        config = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise refused(file, str(error)) from error
    if not isinstance(config, dict):
        raise refused(file, "it holds no JSON object")
    return config


def can_pack(config: dict[str, Any]) -> bool:
    """Whether the packed model computes such an encoder: a BERT, with the usual activation."""
    encoder = config.get("encoder", config)
    usual = isinstance(encoder, dict) and encoder.get("hidden_act") == "gelu"
    return usual and encoder.get("model_type") == "bert"


def prefix_of(names: Container[str]) -> str:
    """What the encoder's tensors begin with: in versions of earlier code with "bert."."""
    old = "bert."
    return old if f"{old}embeddings.word_embeddings.weight" in names else "encoder."


def _pair(name: str, shape: tuple[int, ...]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """A linear layer's or a layer norm's weight, of that shape, and bias."""
    yield f"{name}.weight", shape
    yield f"{name}.bias", shape[:1]


def _are_numbers(tensor: Tensor) -> bool:
    """Whether all are finite; the sum tells most often, and needs no memory."""
    total = tensor.sum(dtype=torch.float32).item()
    return math.isfinite(total) or bool(torch.isfinite(tensor).all())


def refused(file: Path, why: str) -> ClassifierError:
    """The error for a file of a model that can't be served."""
    return ClassifierError(f"{file} can't be loaded as a model: {' '.join(why.split())}.")
