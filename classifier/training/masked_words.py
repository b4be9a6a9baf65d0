"""Words hidden in a batch of texts, and the encoder that guesses them among thousands of words."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import PreTrainedModel

from classifier.data.tokens import SLOT, Tokens
from classifier.training.distributed import Group

_HIDDEN = 0.15  # of a batch's word pieces, all of them replaced by [MASK]
_DRAWN = 3000
_FLATTENED = 0.75  # exponent of the words' counts, as in word2vec: rarer ones are drawn more often
_CANDIDATES_SLOT = 256  # their number is a multiple of it: see SLOT in tokens.py


class Candidates:
    """The masked words of a batch and others, drawn by how often they stand in the texts.

    A softmax over all of rubert-tiny2's 83,828 words needs more arithmetic than the encoder (94
    GFLOP a batch against 57, counted) and a gradient for every word embedding. This one is over a
    sample, each score less the logarithm of the chance that its word is in it (Jean et al. 2015,
    https://arxiv.org/abs/1412.2007).
    """

    def __init__(self, tokens: Tokens) -> None:
        counts = np.bincount(tokens.ids).astype(np.float64)
        self._shares = counts / counts.sum()
        flattened = counts**_FLATTENED
        self._drawn = flattened / flattened.sum()
        self._cumulative = self._drawn.cumsum()

    def draw(
        self, masked: NDArray[np.int64], rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Token ids in rising order, with the `masked` ones, and what to add to their scores."""
        hidden = np.unique(masked)
        last = len(self._cumulative) - 1  # the sum may fall short of 1 by rounding
        drawn = np.searchsorted(self._cumulative, rng.random(_DRAWN)).clip(max=last)
        others = rng.permutation(np.setdiff1d(drawn, hidden))
        room = (len(hidden) + len(others)) // _CANDIDATES_SLOT * _CANDIDATES_SLOT - len(hidden)
        words = np.sort(np.concatenate([hidden, others[:room] if room > 0 else others]))
        expected = _DRAWN * self._drawn[words] + len(masked) * self._shares[words]
        return words, -np.log(-np.expm1(-expected)).astype(np.float32)


@dataclass(frozen=True)
class MaskedBatch:
    """Texts with some of their words hidden, and the candidates to guess them from."""

    input_ids: Tensor  # int64 [texts, tokens], as is the attention mask
    attention_mask: Tensor
    places: Tensor  # int64 [hidden], rising: which tokens of the flattened texts are hidden
    words: Tensor  # int64 [candidates]: token ids
    correction: Tensor  # float32 [candidates]: what to add to their scores
    truth: Tensor  # int64 [hidden]: which candidates they are

    @classmethod
    def draw(
        cls,
        input_ids: Tensor,
        attention_mask: Tensor,
        mask_id: int,
        candidates: Candidates,
        chance: np.random.Generator,
    ) -> "MaskedBatch":
        """15 % of the words hidden, but neither padding nor [CLS] nor [SEP].

        A full slot of them where there are enough, for the sake of the matrix products' shapes.
        """
        inner = attention_mask.clone()
        inner[:, 0] = 0
        inner[torch.arange(len(inner)), attention_mask.sum(1) - 1] = 0
        spots = np.flatnonzero(inner.numpy()) if inner.any() else np.zeros(1, dtype=np.int64)
        wanted = max(1, round(len(spots) * _HIDDEN))
        hidden = chance.choice(spots, wanted // SLOT * SLOT or wanted, replace=False)
        places = torch.from_numpy(np.sort(hidden))
        masked = input_ids.flatten()[places].numpy()
        words, correction = candidates.draw(masked, chance)
        return cls(
            input_ids.flatten().index_fill(0, places, mask_id).view_as(input_ids),
            attention_mask,
            places,
            torch.from_numpy(words),
            torch.from_numpy(correction),
            torch.from_numpy(np.searchsorted(words, masked)),
        )

    def share_of(self, group: Group) -> "MaskedBatch":
        """The texts that a process of the group guesses in, on its device.

        One without a text of its own reads the first and guesses nothing in it, because the
        others wait for its gradients.
        """
        texts, width = self.input_ids.shape
        row, column = self.places // width, self.places % width
        mine = row % group.size == group.rank
        own = slice(group.rank, None, group.size) if group.rank < texts else slice(1)
        share = MaskedBatch(
            self.input_ids[own],
            self.attention_mask[own],
            (row // group.size * width + column)[mine],
            self.words,
            self.correction,
            self.truth[mine],
        )
        return MaskedBatch(*(tensor.to(group.device) for tensor in vars(share).values()))


class WordModel(nn.Module):
    """The encoder and a layer whose output is compared with the word embeddings, as in BERT."""

    def __init__(self, encoder: PreTrainedModel) -> None:
        super().__init__()
        self.encoder: Any = encoder
        words: Any = encoder.get_input_embeddings()
        width = words.embedding_dim  # in some families it is less than that of the hidden states
        dense = nn.Linear(encoder.config.hidden_size, width)
        self.transform = nn.Sequential(dense, nn.GELU(), nn.LayerNorm(width))

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, places: Tensor, words: Tensor
    ) -> Tensor:
        """Scores `[places, words]`.

        `places`: int64, which tokens of the flattened batch are to be guessed; `words`: int64, the
        candidates' token ids.
        """
        # [batch, tokens, width]
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        guesses = self.transform(hidden.flatten(0, 1).index_select(0, places))
        scores: Tensor = guesses @ self.encoder.get_input_embeddings()(words).mT
        return scores
