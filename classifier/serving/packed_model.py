"""A trained classifier that only predicts: hardly any padding, no gradients, half the memory.

The reviews of a batch are packed end to end, `[tokens, hidden]`: a linear layer is one matrix
product over all of them, attention runs review by review and needs no mask. The weights are read
straight from the version's folder into the number format they are used in, so that the word
embeddings, nine tenths of the model, take half the memory in bfloat16.

It computes what `classifier.PoolingClassifier`, which trains, computes; a test compares the two.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from torch.nn.functional import embedding, gelu, layer_norm, linear, pad

from classifier.data.tokens import SLOT, Tokens, slot
from classifier.modeling.device import compute_dtype
from classifier.modeling.outputs import Outputs
from classifier.serving.model import Model
from classifier.serving.packed_attention import all_attend, cls_attends
from classifier.serving.packed_config import PackedConfig, ServedConfig, prefix_of, refused

if TYPE_CHECKING:  # a prediction does without it, and starts sooner
    from classifier.modeling.classifier import PoolingClassifier

Parameters = tuple[Tensor, Tensor]  # weight and bias of a linear layer or a layer norm


class PackedLinear:
    """`x Wᵀ + b` of `[tokens, inputs]`, in the weight's number format, and what comes after it.

    oneDNN adds the bias, and GELU or another tensor, while a product is still in the CPU's
    registers, and keeps the weight in the order in which it multiplies. torch has these operators
    for its compiler (torch/_inductor/fx_passes/mkldnn_fusion.py); elsewhere the plain ones do the
    same in several passes.
    """

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        """`weight`: `[outputs, inputs]`."""
        self._fused = (
            weight.device.type == "cpu"
            and weight.dtype == torch.bfloat16
            and torch.backends.mkldnn.is_available()
            and torch.ops.mkldnn._is_mkldnn_bf16_supported()
        )
        self._weight = torch.ops.mkldnn._reorder_linear_weight(weight) if self._fused else weight
        self._bias = bias

    def __call__(self, hidden: Tensor, activation: Literal["none", "gelu"] = "none") -> Tensor:
        """`[tokens, outputs]`, after the activation."""
        if not self._fused:
            plain = linear(hidden, self._weight, self._bias)
            return gelu(plain) if activation == "gelu" else plain
        product: Tensor = torch.ops.mkldnn._linear_pointwise(
            hidden, self._weight, self._bias, activation, [], "none"
        )
        return product

    def plus(self, other: Tensor, hidden: Tensor) -> Tensor:
        """The product plus `other`."""
        if not self._fused:
            return other + self(hidden)
        summed: Tensor = torch.ops.mkldnn._linear_pointwise.binary(
            hidden, other, self._weight, self._bias, "add"
        )
        return summed


@dataclass(frozen=True)
class _Layer:
    # [3 * hidden, hidden]: query, with the scores' log2(e) / sqrt(dims of a head), key, value
    projection: Parameters
    project: PackedLinear
    mix: PackedLinear
    attention_norm: Parameters
    widen: PackedLinear
    narrow: PackedLinear
    output_norm: Parameters


class PackedModel(Model):
    """One encoder, its pooling and its heads, on one device."""

    @classmethod
    def load(cls, folder: Path, device: torch.device, dtype: torch.dtype) -> Self:
        """The model in `folder`, to compute in `dtype`; raises ClassifierError."""
        config, file = PackedConfig.read(folder), folder / "model.safetensors"
        try:
            tensors = load_file(file)
        except (OSError, SafetensorError, ValueError, KeyError) as error:
            raise refused(file, str(error)) from error
        config.check(tensors, file)
        return cls(config, _Weights(tensors, device, dtype))

    @classmethod
    def of(cls, model: "PoolingClassifier") -> Self:
        """A copy of a trained model, as `load` will give it once it is saved."""
        config = PackedConfig.of(model.config.to_dict(), Path(str(model.name_or_path)))
        return cls(config, _Weights(model.state_dict(), model.device, compute_dtype(model.device)))

    def __init__(self, config: PackedConfig, weights: "_Weights") -> None:
        """`weights` are as `PackedConfig.check` wants them."""
        self.config: ServedConfig = config
        self._heads, self._layer_norm_eps = config.num_attention_heads, config.layer_norm_eps
        prefix = prefix_of(weights.tensors)
        at = f"{prefix}embeddings."
        self._words = weights.one(f"{at}word_embeddings.weight")
        types = weights.one(f"{at}token_type_embeddings.weight", torch.float32)
        positions = weights.one(f"{at}position_embeddings.weight", torch.float32)
        # Padding behind a longest review gets a position too.
        self._positions = pad(positions + types[0], (0, 0, 0, SLOT))
        self._norm = weights.pair(f"{at}LayerNorm")
        self._layers = [
            weights.layer(f"{prefix}encoder.layer.{index}.", self._heads)
            for index in range(config.num_hidden_layers)
        ]
        self._sentiment_head = weights.pair("sentiment_head", torch.float32)
        rated = config.rating_head
        self._rating_head = weights.pair("rating_head", torch.float32) if rated else None

    @torch.inference_mode()
    def predict_batch(self, tokens: Tokens, rows: range) -> Outputs:
        pooled = self._pooled(tokens, rows)  # float32 [reviews, hidden]
        sentiment = linear(pooled, *self._sentiment_head).cpu().numpy()
        if self._rating_head is None:
            return Outputs(sentiment, None)
        return Outputs(sentiment, linear(pooled, *self._rating_head).cpu().numpy())

    def _pooled(self, tokens: Tokens, rows: range) -> Tensor:
        lengths = tokens.lengths[rows.start : rows.stop].tolist()
        slots = [slot(length) for length in lengths]
        hidden = self._embedded(tokens, rows, slots)
        cls = self.config.pooling == "cls"
        for layer in self._layers[: -1 if cls else None]:
            mixed = all_attend(layer.project(hidden), self._heads, slots, lengths)
            hidden = self._through(layer, hidden, mixed)
        if cls:  # the last layer's output is needed for the first token alone
            last = self._layers[-1]
            mixed = cls_attends(hidden, *last.projection, self._heads, slots, lengths)
            first = torch.stack([review[0] for review in hidden.split(slots)])
            return self._through(last, first, mixed).float()
        reviews = zip(hidden.split(slots), lengths, strict=True)
        return torch.stack(
            [review[:length].mean(0, dtype=torch.float32) for review, length in reviews]
        )

    def _embedded(self, tokens: Tokens, rows: range, slots: list[int]) -> Tensor:
        """`[tokens, hidden]` of the packed slots."""
        ids = np.full(sum(slots), tokens.pad_id, dtype=np.int64)
        at = 0
        for row, taken in zip(rows, slots, strict=True):
            text = tokens.ids[tokens.starts[row] : tokens.starts[row + 1]]
            ids[at : at + len(text)] = text
            at += taken
        words = embedding(torch.from_numpy(ids).to(self._words.device), self._words)
        positions = torch.cat([self._positions[:taken] for taken in slots])
        return self._normed((words + positions).to(words.dtype), self._norm)

    def _through(self, layer: _Layer, hidden: Tensor, mixed: Tensor) -> Tensor:
        """The layer's output for tokens `hidden` with the attention's output `mixed`."""
        attended = self._normed(layer.mix.plus(hidden, mixed), layer.attention_norm)
        widened = layer.widen(attended, "gelu")
        return self._normed(layer.narrow.plus(attended, widened), layer.output_norm)

    def _normed(self, hidden: Tensor, norm: Parameters) -> Tensor:
        return layer_norm(hidden, hidden.shape[-1:], *norm, self._layer_norm_eps)


@dataclass(frozen=True)
class _Weights:
    """The tensors of a mapped file, each copied from it on demand; KeyError for one it lacks."""

    tensors: dict[str, Tensor]
    device: torch.device
    dtype: torch.dtype

    def one(self, name: str, dtype: torch.dtype | None = None) -> Tensor:
        return self.tensors[name].to(self.device, dtype or self.dtype, copy=True)

    def pair(self, name: str, dtype: torch.dtype | None = None) -> Parameters:
        return self.one(f"{name}.weight", dtype), self.one(f"{name}.bias", dtype)

    def layer(self, at: str, heads: int) -> _Layer:
        query, key, value = (
            self.pair(f"{at}attention.self.{name}", torch.float32)
            for name in ("query", "key", "value")
        )
        scale = math.log2(math.e) * (len(query[1]) / heads) ** -0.5
        query = (query[0] * scale, query[1] * scale)
        weight, bias = (
            torch.cat(parts).to(self.dtype) for parts in zip(query, key, value, strict=True)
        )
        return _Layer(
            projection=(weight, bias),
            project=PackedLinear(weight, bias),
            mix=PackedLinear(*self.pair(f"{at}attention.output.dense")),
            attention_norm=self.pair(f"{at}attention.output.LayerNorm"),
            widen=PackedLinear(*self.pair(f"{at}intermediate.dense")),
            narrow=PackedLinear(*self.pair(f"{at}output.dense")),
            output_norm=self.pair(f"{at}output.LayerNorm"),
        )
