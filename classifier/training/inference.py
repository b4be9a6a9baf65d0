"""Logits of many reviews, without gradients."""

import numpy as np
import torch
from numpy.typing import NDArray

from classifier.data.tokens import Tokens, sorted_batches
from classifier.modeling.classifier import PoolingClassifier
from classifier.modeling.outputs import Outputs

TOKENS_AT_ONCE = 2048
"""Attention holds 12 numbers for each pair of a review's tokens: 50 MB for two of 1,024."""


@torch.inference_mode()
def predict_tokens(
    model: PoolingClassifier, tokens: Tokens, dtype: torch.dtype, most_tokens: int = TOKENS_AT_ONCE
) -> Outputs:
    """`model`'s logits for every row of `tokens`, in their order.

    A row's logits do not depend on the rows beside it: padding is masked in the attention
    and in the pooling, and dropout is off.
    """
    model.eval()
    device = model.device
    sentiment = np.empty((len(tokens), model.sentiment_head.out_features), dtype=np.float32)
    rating: NDArray[np.float32] | None = None
    if model.rating_head is not None:
        rating = np.empty((len(tokens), model.rating_head.out_features), dtype=np.float32)
    for rows, width in sorted_batches(tokens.lengths, most_tokens):
        input_ids, attention_mask = tokens.batch(rows, width)
        with torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
            output = model(input_ids.to(device), attention_mask.to(device))
        sentiment[rows] = output.sentiment_logits.float().cpu().numpy()
        if rating is not None:
            rating[rows] = output.rating_logits.float().cpu().numpy()
    return Outputs(sentiment, rating)
