"""A random stretch of each long text, another one every epoch.

A step costs as much as its tokens, and a model that has learnt from stretches reads whole reviews
at prediction: attention and pooling take any number of tokens. So a training costs that of short
texts, sees all of each review in time, and can't learn it by heart as easily.
"""

import numpy as np
from numpy.typing import NDArray

from classifier.data.tokens import Tokens


def random_windows(tokens: Tokens, width: int, rng: np.random.Generator) -> Tokens:
    """The texts with at most `width` tokens, [CLS] and [SEP] kept around the stretch.

    A stretch may be drawn up to half its width before the text's beginning or behind its end, and
    is moved inside then: else the ends, where the verdict stands, would hardly be seen.
    """
    room = width - 2
    pieces: list[NDArray[np.int32]] = []
    for start, end in zip(tokens.starts[:-1], tokens.starts[1:], strict=True):
        text = tokens.ids[start:end]
        spare = len(text) - width
        if spare > 0:
            first = 1 + int(np.clip(rng.integers(-(room // 2), spare + room // 2 + 1), 0, spare))
            text = np.concatenate([text[:1], text[first : first + room], text[-1:]])
        pieces.append(text)
    starts = np.cumsum([0, *(len(piece) for piece in pieces)], dtype=np.int64)
    return Tokens(np.concatenate(pieces), starts, tokens.pad_id)
