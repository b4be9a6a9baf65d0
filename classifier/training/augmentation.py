"""Other tokens of the same reviews every epoch: a random stretch of each.

A step costs as much as its tokens, and a model trained on stretches reads whole reviews at
prediction: attention and pooling take any number of tokens. So a training costs that of short
texts, sees all of each review in time, and can't learn it by heart as easily.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from classifier.data.tokens import Tokens


def random_windows(tokens: Tokens, width: int, rng: np.random.Generator) -> Tokens:
    """The texts with at most `width` tokens, their special ones kept around the stretch.

    A stretch may be drawn up to half its width before the text's beginning or after its end, and
    is then moved inside: else the ends, where the verdict stands, would hardly be seen.
    """
    before, after = tokens.before, tokens.after
    room = width - before - after
    pieces: list[NDArray[np.int32]] = []
    for start, end in zip(tokens.starts[:-1], tokens.starts[1:], strict=True):
        text = tokens.ids[start:end]
        spare = len(text) - width
        if spare > 0:
            drawn = int(np.clip(rng.integers(-(room // 2), spare + room // 2 + 1), 0, spare))
            stretch = text[before + drawn :][:room]
            text = np.concatenate([text[:before], stretch, text[len(text) - after :]])
        pieces.append(text)
    starts = np.cumsum([0, *(len(piece) for piece in pieces)], dtype=np.int64)
    return replace(tokens, ids=np.concatenate(pieces), starts=starts)
