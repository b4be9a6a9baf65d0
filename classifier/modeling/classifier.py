"""The classifier: encoder → pooling → one linear layer a head."""

import inspect
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from huggingface_hub.dataclasses import strict
from torch import Tensor, nn
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForTextEncoding,
    PreTrainedConfig,
    PreTrainedModel,
)
from transformers.configuration_utils import SubConfigSpec
from transformers.utils.generic import ModelOutput

from classifier.labels import RATINGS, SENTIMENTS
from classifier.modeling.cls_shortcut import cls_output
from classifier.modeling.families import is_bert
from classifier.modeling.pooling import POOLINGS


@strict
class PoolingConfig(PreTrainedConfig):
    """The configuration of any encoder, and what is needed to use the finished classifier."""

    model_type = "kinorate"
    sub_configs_defaults: ClassVar[Any] = {
        "encoder": SubConfigSpec(config_class=AutoConfig, model_type="bert")
    }

    encoder: PreTrainedConfig | dict[str, Any] | None = None
    pooling: str = "cls"
    rating_head: bool = True
    max_tokens: int = 1024
    head_share: float = 0.5  # of the tokens kept when a text is cut; the rest come from its end
    keep_ratings: bool = False  # trained on texts with the written ratings left in
    temperature: float = 1.0  # divides the sentiment logits; fitted on the validation part


@dataclass
class PoolingOutput(ModelOutput):
    """Logits before temperature scaling; `rating_logits` is None without that head."""

    sentiment_logits: Tensor | None = None  # [batch, 3] in the order Bad, Neutral, Good
    rating_logits: Tensor | None = None  # [batch, 11] for the ratings 0..10


class PoolingClassifier(PreTrainedModel):
    """One encoder, one pooling, and a linear head for each thing predicted."""

    config_class = PoolingConfig
    base_model_prefix = "encoder"
    # What the encoder can't do it does otherwise by itself.
    _supports_sdpa = _supports_flash_attn = _supports_attention_backend = True

    def __init__(self, config: PoolingConfig, encoder: PreTrainedModel | None = None) -> None:
        """`encoder`: one that is loaded; without it its weights are drawn at random."""
        super().__init__(config)
        inner: Any = config.encoder
        self.encoder: Any = encoder or auto_model(inner).from_config(inner, **without_pooler(inner))
        self.dropout = nn.Dropout(getattr(inner, "classifier_dropout", None) or 0.0)
        width = inner.hidden_size
        self.sentiment_head = nn.Linear(width, len(SENTIMENTS))
        self.rating_head = nn.Linear(width, len(RATINGS)) if config.rating_head else None
        self.post_init()

    def pooled(self, hidden: Tensor, attention_mask: Tensor) -> Tensor:
        """One vector a text, `[batch, hidden]`."""
        return POOLINGS[self.config.pooling](hidden, attention_mask)

    def encoded(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """The tokens' vectors, `[batch, tokens, hidden]`; that of [CLS] alone by the shortcut."""
        shortcut = is_bert(self.encoder) and self.encoder.config.attention_probs_dropout_prob == 0
        if self.config.pooling == "cls" and shortcut:
            return cls_output(self.encoder, input_ids, attention_mask)
        output = self.encoder(input_ids=input_ids, attention_mask=attention_mask)
        hidden: Tensor = output.last_hidden_state
        return hidden

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> PoolingOutput:
        """`input_ids`, `attention_mask`: int64 `[batch, tokens]`."""
        hidden = self.encoded(input_ids, attention_mask)
        pooled = self.dropout(self.pooled(hidden, attention_mask))
        return PoolingOutput(
            sentiment_logits=self.sentiment_head(pooled),
            rating_logits=None if self.rating_head is None else self.rating_head(pooled),
        )


def auto_model(encoder: PreTrainedConfig) -> Any:
    """The class of transformers that makes such an encoder: a T5 without its decoder."""
    has_decoder = type(encoder).is_encoder_decoder  # the family's: a config may say otherwise
    return AutoModelForTextEncoding if has_decoder else AutoModel


def without_pooler(encoder: PreTrainedConfig) -> dict[str, bool]:
    """What leaves out the layer on [CLS] that some families have and no head here stands on."""
    made = auto_model(encoder)._model_mapping[type(encoder)]
    has_one = "add_pooling_layer" in inspect.signature(made.__init__).parameters
    return {"add_pooling_layer": False} if has_one else {}


@torch.no_grad()
def reset_heads(model: PoolingClassifier) -> None:
    """Draw the heads anew as `nn.Linear` does, from torch's current seed."""
    for head in (model.sentiment_head, model.rating_head):
        if head is not None:
            head.reset_parameters()
