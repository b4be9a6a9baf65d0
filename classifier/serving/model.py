"""What every trained classifier that only predicts does: batch by batch, through one interface."""

from abc import ABC, abstractmethod
from collections.abc import Iterator

from classifier.data.tokens import Tokens, slot
from classifier.modeling.outputs import Outputs, concatenated
from classifier.serving.packed_config import ServedConfig

_TOKENS_AT_ONCE = 1024  # or one longer review: the tensors of a pass stay in the CPU's cache


class Model(ABC):
    """One encoder, its pooling and its heads."""

    config: ServedConfig

    def predict(self, tokens: Tokens) -> Outputs:
        """The logits of every row of `tokens`, float32, in their order."""
        return concatenated([self.predict_batch(tokens, rows) for rows in batches(tokens)])

    @abstractmethod
    def predict_batch(self, tokens: Tokens, rows: range) -> Outputs:
        """The logits of the rows of one of the `batches`; two threads may have one each."""


def batches(tokens: Tokens) -> Iterator[range]:
    """Consecutive rows that are predicted together."""
    first, taken = 0, 0
    for row, length in enumerate(tokens.lengths.tolist()):
        if row > first and taken + slot(length) > _TOKENS_AT_ONCE:
            yield range(first, row)
            first, taken = row, 0
        taken += slot(length)
    yield range(first, len(tokens))
