"""BERT's output for the [CLS] token alone, without what only other tokens' outputs need.

The last layer has one query a review, so that keys and values need not be computed:
a score q · (W x + b) is (Wᵀ q) · x + q · b, and a mean of W x + b is W (mean of x) + b. Both are
exact. The layer then needs a hundredth of its operations, a CLS model of three layers two thirds
(counted, not timed).
"""

from typing import Any

import torch
from torch import Tensor
from transformers import BertModel
from transformers.masking_utils import create_bidirectional_mask


def cls_output(bert: BertModel, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
    """`[batch, 1, hidden]`: [CLS]'s part of `bert(...).last_hidden_state`.

    `input_ids`, `attention_mask`: int64 `[batch, tokens]`. Attention dropout is left out.
    """
    hidden = bert.embeddings(input_ids)
    mask = create_bidirectional_mask(bert.config, hidden, attention_mask)
    for layer in bert.encoder.layer[:-1]:
        hidden = layer(hidden, mask)
    last: Any = bert.encoder.layer[-1]  # a BertLayer
    # Taken before the attention: the order of the uses decides in which the gradients are added.
    first = hidden[:, :1]
    attended = last.attention.output(_attention(last, hidden, attention_mask), first)
    output: Tensor = last.feed_forward_chunk(attended)
    return output


def _attention(layer: Any, hidden: Tensor, attention_mask: Tensor) -> Tensor:
    """The self-attention of [CLS] over all tokens, `[batch, 1, hidden]`."""
    attention = layer.attention.self
    heads = (attention.num_attention_heads, attention.attention_head_size)
    query = attention.query(hidden[:, 0]).unflatten(-1, heads) * attention.scaling
    key, value = (part.weight.unflatten(0, heads) for part in (attention.key, attention.value))
    key_query = torch.einsum("bhd,hdc->bhc", query, key)  # c: a token's vector, as wide as hidden
    bias = torch.einsum("bhd,hd->bh", query, attention.key.bias.view(heads))
    scores = (key_query @ hidden.mT).float() + bias.unsqueeze(-1)  # [batch, heads, tokens]
    padding = (attention_mask == 0).unsqueeze(1)
    weights = scores.masked_fill(padding, torch.finfo(scores.dtype).min).softmax(-1)
    seen = weights.to(query.dtype) @ hidden.to(query.dtype)  # [batch, heads, hidden]
    mixed = torch.einsum("bhc,hdc->bhd", seen, value).flatten(1) + attention.value.bias
    output: Tensor = mixed.unsqueeze(1)
    return output
