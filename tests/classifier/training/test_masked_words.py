"""What is hidden of a batch, what it is to be told from, and how processes share it."""

import numpy as np
import pytest
import torch

from classifier.data.tokens import Tokens
from classifier.training.distributed import Group
from classifier.training.masked_words import Candidates, MaskedBatch

CLS, SEP, PAD, MASK, FIRST = 2, 3, 0, 4, 5
ON_CPU = torch.device("cpu")


def texts(lengths: list[int], words: int = 50, seed: int = 0) -> Tokens:
    """So many words each, the rarer the higher their id, in [CLS] and [SEP]."""
    chance = np.random.default_rng(seed)
    shares = 1 / np.arange(1, words + 1)
    inner = [FIRST + chance.choice(words, length, p=shares / shares.sum()) for length in lengths]
    pieces = [np.array([CLS, *ids, SEP], dtype=np.int32) for ids in inner]
    starts = np.cumsum([0, *(len(piece) for piece in pieces)], dtype=np.int64)
    return Tokens(np.concatenate(pieces), starts, PAD)


def masked(tokens: Tokens, seed: int = 0) -> tuple[MaskedBatch, torch.Tensor]:
    """All texts as one masked batch, and what they were before."""
    input_ids, attention_mask = tokens.batch(np.arange(len(tokens)))
    chance = np.random.default_rng(seed)
    batch = MaskedBatch.draw(input_ids, attention_mask, MASK, Candidates(tokens), chance)
    return batch, input_ids


@pytest.mark.parametrize("lengths", [[100] * 16, [3, 40, 7], [1], [60, 0, 60]])
def test_words_alone_are_hidden_and_each_is_among_the_candidates(lengths: list[int]) -> None:
    batch, before = masked(texts(lengths))
    hidden = batch.input_ids != before
    assert torch.equal(hidden.flatten().nonzero().flatten(), batch.places)
    assert (batch.input_ids[hidden] == MASK).all()
    assert (before[hidden] >= FIRST).all(), "no [CLS], no [SEP], no padding"
    assert torch.equal(batch.words[batch.truth], before[hidden])
    assert len(batch.words.unique()) == len(batch.words)
    share = len(batch.places) / sum(lengths)
    assert share == pytest.approx(0.15, abs=0.02) or len(batch.places) == 1


def test_a_batch_of_empty_texts_is_no_error() -> None:
    batch, before = masked(texts([0, 0]))
    assert torch.equal(batch.words[batch.truth], before[0, :1])


def test_the_sample_estimates_the_sum_over_all_words() -> None:
    """The correction is right if exp(score) sums up, in the mean, to what all words' would."""
    words = 20_000
    tokens = texts([2000] * 20, words)
    candidates = Candidates(tokens)
    chance = np.random.default_rng(1)
    known = np.unique(tokens.ids)
    scores = np.zeros(FIRST + words)
    scores[known] = chance.normal(size=len(known))
    whole = np.exp(scores[known]).sum()
    sums = []
    for _ in range(200):
        drawn, correction = candidates.draw(chance.choice(tokens.ids, 600), chance)
        assert len(drawn) < len(known) / 2, "a sample"
        sums.append(np.exp(scores[drawn] + correction).sum())
    assert np.mean(sums) == pytest.approx(whole, rel=0.05)


def test_processes_guess_each_hidden_word_once_between_them() -> None:
    tokens = texts([30, 5, 80, 12, 9, 44, 61])
    batch, _ = masked(tokens)
    shares = [batch.share_of(Group(rank, 3, ON_CPU)) for rank in range(3)]
    assert sum(len(share.truth) for share in shares) == len(batch.truth)
    for rank, share in enumerate(shares):
        assert torch.equal(share.input_ids, batch.input_ids[rank::3])
        assert (share.input_ids.flatten()[share.places] == MASK).all()
        told = [
            int(batch.truth[place])
            for place, at in enumerate(batch.places.tolist())
            if at // batch.input_ids.shape[1] % 3 == rank
        ]
        assert share.truth.tolist() == told


def test_a_process_without_a_text_guesses_nothing() -> None:
    batch, _ = masked(texts([30, 40]))
    share = batch.share_of(Group(2, 3, ON_CPU))
    assert torch.equal(share.input_ids, batch.input_ids[:1])
    assert len(share.places) == len(share.truth) == 0
