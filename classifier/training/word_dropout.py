"""Words hidden from a model while it trains, others every epoch, so that it leans on no single one.

Iyyer et al. 2015, https://aclanthology.org/P15-1162; here they become [MASK], which the adapted
encoder knows how to read.
"""

from dataclasses import replace

import numpy as np

from classifier.data.tokens import Tokens


def without_some_words(
    tokens: Tokens, share: float, mask_id: int, rng: np.random.Generator
) -> Tokens:
    """The texts with about that share of their tokens replaced, [CLS] and [SEP] never."""
    hidden = rng.random(len(tokens.ids)) < share
    hidden[tokens.starts[:-1]] = False
    hidden[tokens.starts[1:] - 1] = False
    return replace(tokens, ids=np.where(hidden, np.int32(mask_id), tokens.ids))
