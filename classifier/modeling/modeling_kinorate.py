"""Kinorate's models of Russian film reviews for `transformers`: an encoder, a pooling, two heads.

This file lies in every model's folder, where `trust_remote_code=True` lets the auto classes and
`pipeline` run it, and in the package that trains the models: it needs torch and transformers alone,
of which 4.57 and 5 were tried.
"""

import inspect
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForTextEncoding,
    BatchEncoding,
    PretrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    TextClassificationPipeline,
)
from transformers.modeling_outputs import BaseModelOutputWithPooling
from transformers.utils.generic import ModelOutput

FILE = "modeling_kinorate"  # this one, without its suffix
_SENTIMENTS = ("Bad", "Neutral", "Good")
_RATINGS = 11  # 0 to 10


def cls_pooling(hidden: Tensor, _attention_mask: Tensor) -> Tensor:
    """The [CLS] token's vector: `[batch, tokens, hidden]` → `[batch, hidden]`.

    As in BERT (Devlin et al. 2019, https://arxiv.org/abs/1810.04805), without its extra
    dense layer and tanh: the linear heads stand on the encoder's own output.
    """
    return hidden[:, 0]


def masked_mean_pooling(hidden: Tensor, attention_mask: Tensor) -> Tensor:
    """The mean of the vectors of real tokens: `[batch, tokens, hidden]` → `[batch, hidden]`.

    Padding has weight 0 (Reimers & Gurevych 2019, https://arxiv.org/abs/1908.10084). The sum
    runs in float32: a bfloat16 sum over 256 tokens loses its last digits.
    """
    mask = attention_mask.unsqueeze(-1).to(hidden.dtype)  # [batch, tokens, 1]
    total = (hidden * mask).sum(dim=1, dtype=torch.float32)
    return (total / attention_mask.sum(dim=1, keepdim=True).clamp(min=1)).to(hidden.dtype)


POOL = {"cls": cls_pooling, "mean": masked_mean_pooling}


class KinorateConfig(PretrainedConfig):
    """The encoder's configuration, of whatever architecture, and what stands on the encoder."""

    model_type = "kinorate"
    sub_configs: ClassVar[dict[str, Any]] = {"encoder": AutoConfig}
    # `Trainer` evaluates by the logits alone.
    keys_to_ignore_at_inference: ClassVar[list[str]] = ["rating_logits", "sentiment_logits"]

    encoder: Any = None
    pooling: str = "cls"
    rating_head: bool = True
    max_tokens: int = 1024
    head_share: float = 0.5  # of the tokens kept when a text is cut; the rest come from its end
    keep_ratings: bool = False  # trained on texts with the written ratings left in
    temperature: float = 1.0  # divides the sentiment logits; fitted on the validation part

    def __init__(self, encoder: Any = None, **settings: Any) -> None:
        """`encoder` is a configuration or its values; `settings` are those above, and what every
        configuration may have.
        """
        values = {"model_type": "bert"} if encoder is None else encoder
        self.encoder = AutoConfig.for_model(**values) if isinstance(values, dict) else values
        ours = {name: settings.pop(name, getattr(type(self), name)) for name in _SETTINGS}
        settings.setdefault("id2label", dict(enumerate(_SENTIMENTS)))
        settings.setdefault("label2id", {name: at for at, name in enumerate(_SENTIMENTS)})
        settings.setdefault("auto_map", dict(_AUTO_MAP))
        super().__init__(**settings)
        for name, value in ours.items():  # transformers 4 sets a temperature of its own
            setattr(self, name, value)

    @property
    def hidden_size(self) -> int:
        """How wide the encoder's vectors are."""
        return int(self.encoder.hidden_size)

    @property
    def custom_pipelines(self) -> dict[str, Any]:
        """What `pipeline("text-classification")` is, made anew because `pipeline` changes it."""
        model = ["AutoModelForSequenceClassification"]
        return {"text-classification": {"impl": f"{FILE}.KinoratePipeline", "pt": model}}


_SETTINGS = ("pooling", "rating_head", "max_tokens", "head_share", "keep_ratings", "temperature")
_AUTO_MAP = {
    "AutoConfig": f"{FILE}.KinorateConfig",
    "AutoModel": f"{FILE}.KinorateModel",
    "AutoModelForSequenceClassification": f"{FILE}.KinorateForSequenceClassification",
}


@dataclass
class KinorateOutput(ModelOutput):
    """What is predicted of a batch; `rating_logits` is None for a model without that head."""

    loss: Tensor | None = None  # of the sentiments, where labels were given
    logits: Tensor | None = None  # [batch, 3] after temperature scaling: softmax gives the scores
    rating_logits: Tensor | None = None  # [batch, 11] for the ratings 0 to 10
    sentiment_logits: Tensor | None = None  # [batch, 3] before temperature scaling


class _WithEncoder(PreTrainedModel):
    config_class = KinorateConfig
    base_model_prefix = "encoder"
    # What the encoder can't do it does otherwise by itself, or refuses.
    _supports_sdpa = _supports_flash_attn = _supports_attention_backend = True
    supports_gradient_checkpointing = True

    def __init__(self, config: KinorateConfig, encoder: PreTrainedModel | None = None) -> None:
        """`encoder`: one that is loaded; without it its weights are drawn at random."""
        super().__init__(config)
        of = config.encoder
        self.encoder: Any = encoder or auto_model(of).from_config(of, **without_pooler(of))

    def get_input_embeddings(self) -> nn.Module:
        embeddings: nn.Module = self.encoder.get_input_embeddings()
        return embeddings

    def set_input_embeddings(self, value: nn.Module) -> None:
        self.encoder.set_input_embeddings(value)

    def encoded(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """The tokens' vectors, `[batch, tokens, hidden]`."""
        output = self.encoder(input_ids=input_ids, attention_mask=attention_mask)
        hidden: Tensor = output.last_hidden_state
        return hidden

    def pooled(self, hidden: Tensor, attention_mask: Tensor) -> Tensor:
        """One vector a text, `[batch, hidden]`."""
        return POOL[self.config.pooling](hidden, attention_mask)


def auto_model(encoder: PretrainedConfig) -> Any:
    """The class that makes such an encoder: of T5 and its kin the half without the decoder."""
    # The family's, because a configuration may say otherwise; transformers 4 has no such thing.
    has_decoder = getattr(type(encoder), "is_encoder_decoder", encoder.is_encoder_decoder)
    return AutoModelForTextEncoding if has_decoder else AutoModel


def without_pooler(encoder: PretrainedConfig) -> dict[str, bool]:
    """What leaves out the layer on [CLS] that some families have and no head here stands on."""
    made = auto_model(encoder)._model_mapping[type(encoder)]
    has_one = "add_pooling_layer" in inspect.signature(made.__init__).parameters
    return {"add_pooling_layer": False} if has_one else {}


class KinorateModel(_WithEncoder):
    """The encoder alone, what `AutoModel` loads; `pooler_output` is this model's pooling."""

    _keys_to_ignore_on_load_unexpected = [r"^(sentiment|rating)_head\."]  # noqa: RUF012

    def __init__(self, config: KinorateConfig, encoder: PreTrainedModel | None = None) -> None:
        super().__init__(config, encoder)
        self.post_init()  # type: ignore[no-untyped-call]

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, **options: Any
    ) -> BaseModelOutputWithPooling:
        """`input_ids`, `attention_mask`: int64 `[batch, tokens]`; `options` are the encoder's."""
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        output = self.encoder(input_ids=input_ids, attention_mask=mask, **options)
        return BaseModelOutputWithPooling(
            last_hidden_state=output.last_hidden_state,
            pooler_output=self.pooled(output.last_hidden_state, mask),
            hidden_states=output.get("hidden_states"),
            attentions=output.get("attentions"),
        )


class KinorateForSequenceClassification(_WithEncoder):
    """One encoder, one pooling, and a linear head for each thing predicted."""

    def __init__(self, config: KinorateConfig, encoder: PreTrainedModel | None = None) -> None:
        super().__init__(config, encoder)
        self.dropout = nn.Dropout(getattr(config.encoder, "classifier_dropout", None) or 0.0)
        self.sentiment_head = nn.Linear(config.hidden_size, len(_SENTIMENTS))
        self.rating_head = nn.Linear(config.hidden_size, _RATINGS) if config.rating_head else None
        self.post_init()  # type: ignore[no-untyped-call]

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
    ) -> KinorateOutput:
        """`input_ids`, `attention_mask`: int64 `[batch, tokens]`; `labels`: int64 `[batch]`."""
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        pooled = self.dropout(self.pooled(self.encoded(input_ids, mask), mask))
        sentiment = self.sentiment_head(pooled)
        logits = sentiment / self.config.temperature
        return KinorateOutput(
            loss=None if labels is None else nn.functional.cross_entropy(logits, labels),
            logits=logits,
            rating_logits=None if self.rating_head is None else self.rating_head(pooled),
            sentiment_logits=sentiment,
        )


class KinorateTokenizer(PreTrainedTokenizerFast):
    """Texts to token ids as the model was trained on them, cut to what it reads.

    Of a longer text the beginning and the end stay, where reviewers put the verdict (Sun et al.
    2019, https://arxiv.org/abs/1905.05583). «[SEP]» typed in a review is text like any other.
    """

    model_input_names = ["input_ids", "attention_mask"]  # noqa: RUF012

    def __call__(
        self,
        text: str | list[str],
        *,
        padding: bool | str = False,
        max_length: int | None = None,
        return_tensors: str | None = None,
        **options: Any,
    ) -> BatchEncoding:
        """`input_ids` and `attention_mask` of a text or several, always cut, `truncation` or not.

        `max_length` can lower the limit. Of the other `options` those of `pad` are obeyed.
        """
        if options.get("text_pair") is not None:
            raise ValueError("A review is one text: there is no text_pair.")
        texts = [text] if isinstance(text, str) else list(text)
        most = min(max_length or self.model_max_length, self.model_max_length)
        ids = self._ids(texts, most)
        names = ("pad_to_multiple_of", "padding_side")
        batch = self.pad(
            {"input_ids": ids, "attention_mask": [[1] * len(each) for each in ids]},
            padding=padding,
            max_length=most if padding == "max_length" else None,
            return_tensors=return_tensors,
            **{name: options[name] for name in names if name in options},
        )
        if isinstance(text, str) and return_tensors is None:
            return BatchEncoding({name: values[0] for name, values in batch.items()})
        return batch

    def _ids(self, texts: list[str], most: int) -> list[list[int]]:
        """The ids of each text, special tokens and all, at most `most` of them."""
        backend = self.backend_tokenizer
        backend.no_truncation()
        backend.no_padding()
        backend.encode_special_tokens = True
        before, after = self._around()
        special = self._special()
        room = max(0, most - len(before) - len(after))
        head = round(room * self.init_kwargs.get("head_share", 1.0))
        found = []
        for encoded in backend.encode_batch(texts, add_special_tokens=False):
            ids = [one for one in encoded.ids if one not in special]
            if len(ids) > room:
                ids = ids[:head] + ids[len(ids) - (room - head) :]
            # A text of nothing is padding, where there are no special tokens.
            found.append([*before, *ids, *after] or [self.pad_token_id or 0])
        return found

    def _around(self) -> tuple[list[int], list[int]]:
        """The ids that stand before and after each text: mostly [CLS] and [SEP]."""
        one = self.backend_tokenizer.encode("и", add_special_tokens=True)
        text = [at for at, added in enumerate(one.special_tokens_mask) if not added]
        return one.ids[: text[0]], one.ids[text[-1] + 1 :]

    def _special(self) -> set[int]:
        """The ids that no text may have: the special tokens' but for the unknown word's."""
        unknown = getattr(self.backend_tokenizer.model, "unk_token", None)
        return {
            number
            for number, token in self.backend_tokenizer.get_added_tokens_decoder().items()
            if token.special and token.content not in (unknown, "[UNK]", "<unk>")
        }


class KinoratePipeline(TextClassificationPipeline):
    """The pipeline of transformers, which knows no model but its own by name and would complain."""

    def check_model_type(self, supported_models: list[str] | dict[str, Any]) -> None:
        """This one is made for the models of this file."""
