"""The classifier: encoder → pooling → one linear layer a head."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from huggingface_hub.dataclasses import strict
from torch import Tensor, nn
from transformers import BertConfig, BertModel
from transformers.models.bert.modeling_bert import BertPreTrainedModel
from transformers.utils.generic import ModelOutput

from classifier.errors import ClassifierError
from classifier.labels import RATINGS, SENTIMENTS
from classifier.modeling.cls_shortcut import cls_output
from classifier.modeling.pooling import POOLINGS


@strict
class PoolingConfig(BertConfig):
    """A BERT configuration plus what is needed to use the finished classifier.

    `model_type` stays "bert", so that `AutoModel.from_pretrained(folder)` loads the
    fine-tuned encoder and `AutoTokenizer` its tokenizer without this package.
    """

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


class PoolingClassifier(BertPreTrainedModel):
    """One encoder, one pooling, and a linear head for each thing predicted."""

    config_class = PoolingConfig

    def __init__(self, config: PoolingConfig) -> None:
        super().__init__(config)
        self.pool = POOLINGS[config.pooling]  # type: ignore[index]
        self.bert = BertModel(config, add_pooling_layer=False)
        self.dropout = nn.Dropout(config.classifier_dropout or 0.0)
        self.sentiment_head = nn.Linear(config.hidden_size, len(SENTIMENTS))
        self.rating_head = (
            nn.Linear(config.hidden_size, len(RATINGS)) if config.rating_head else None
        )
        self.post_init()

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> PoolingOutput:
        """`input_ids`, `attention_mask`: int64 `[batch, tokens]`."""
        if self.config.pooling == "cls" and self.config.attention_probs_dropout_prob == 0:
            hidden = cls_output(self.bert, input_ids, attention_mask)
        else:
            hidden = self.bert(input_ids, attention_mask).last_hidden_state
        pooled = self.dropout(self.pool(hidden, attention_mask))  # [batch, hidden]
        return PoolingOutput(
            sentiment_logits=self.sentiment_head(pooled),
            rating_logits=None if self.rating_head is None else self.rating_head(pooled),
        )


def load_classifier(folder: Path, *, with_heads: bool, **settings: Any) -> PoolingClassifier:
    """The classifier in `folder`, or the encoder in it with untrained heads.

    `settings` go to `from_pretrained`, which would draw missing weights at random without an error.
    Raises ClassifierError where any is missing, and for a folder that can't be loaded.
    """
    load: Any = PoolingClassifier.from_pretrained  # typed without the loading info
    try:
        model, report = load(
            folder,
            local_files_only=True,
            use_safetensors=True,
            output_loading_info=True,
            **settings,
        )
    except Exception as error:  # a damaged folder fails in as many ways as it has files
        why = " ".join(str(error).split())
        raise ClassifierError(f"{folder} can't be loaded as a model: {why:.300}") from error
    missing = sorted(key for key in report["missing_keys"] if with_heads or "_head." not in key)
    if missing:
        raise ClassifierError(
            f"{folder} can't be loaded as a model: {len(missing)} of its weights are missing, "
            f"{missing[0]} for one."
        )
    assert isinstance(model, PoolingClassifier)
    for name, weight in model.named_parameters():
        if (with_heads or "_head." not in name) and not torch.isfinite(weight).all():
            raise ClassifierError(
                f"{folder / 'model.safetensors'} can't be loaded as a model: its {name} holds "
                "something else than finite numbers."
            )
    return model


@torch.no_grad()
def reset_heads(model: PoolingClassifier) -> None:
    """Draw the heads anew as `nn.Linear` does, from torch's current seed."""
    for head in (model.sentiment_head, model.rating_head):
        if head is not None:
            head.reset_parameters()
