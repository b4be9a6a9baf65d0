"""Texts that are the same, nearly the same, or versions of one text."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from classifier.data.unicode_form import normalized

_WORDS_IN_A_RUN = 5
_NEARLY_THE_SAME = 0.8  # Jaccard similarity of the sets of runs
_SHARED_BY_VERSIONS = 0.5
_BUCKETS = 2**31 - 1  # the most that scikit-learn takes
_MOST_FOUND_BY = 100
_MOST_COMPARED = 64
_COMPARED_AT_ONCE = 256
_WORD = re.compile(r"\w+")


def exact_duplicates(texts: Sequence[str]) -> NDArray[np.bool_]:
    """`[n]`: whether an earlier text is the same but for letter case, blanks and Unicode forms."""
    seen: set[bytes] = set()
    repeated = np.zeros(len(texts), dtype=bool)
    for index, text in enumerate(texts):
        words = " ".join(_folded(text).split())
        key = hashlib.sha256(words.encode("utf-8", "surrogatepass")).digest()
        repeated[index] = key in seen
        seen.add(key)
    return repeated


def near_duplicates(texts: Sequence[str]) -> NDArray[np.bool_]:
    """`[n]`: whether an earlier text that stays is nearly the same.

    Nearly the same: the sets of runs of 5 words have a Jaccard similarity of 0.8 or more
    (shingling, Broder 1997, https://doi.org/10.1109/SEQUEN.1997.666900). It is computed, not
    estimated by MinHash: of two texts that alike, each has one of the shared runs among the
    rarest fifth of its own (Bayardo et al. 2007, https://doi.org/10.1145/1242572.1242591), which
    leaves few pairs to compare.
    A text shorter than 5 words is one run, so only the same words in the same order match.

    Texts made on purpose of the same few runs would leave nearly all pairs. So the time grows with
    the number of runs alone: a text is found by a run only if it is among the first 100 that have
    it, and is compared with the 64 likeliest earlier ones at most.

    Runs are compared by their hashes, of which there are 2 thousand million. Two different runs
    with one hash change the result only where two long texts are one run short of the limit, or
    both texts are shorter than 5 words.
    """
    from sklearn.feature_extraction.text import HashingVectorizer

    repeated = np.zeros(len(texts), dtype=bool)
    if not len(texts):
        return repeated
    hashing = HashingVectorizer(
        analyzer=_runs, n_features=_BUCKETS, norm=None, alternate_sign=False, binary=True
    )
    runs = hashing.transform(texts)
    sizes = np.diff(runs.indptr)
    text_of_run = np.repeat(np.arange(len(texts)), sizes)
    _, columns, texts_with = np.unique(runs.indices, return_inverse=True, return_counts=True)
    rarest_first = np.lexsort((columns, texts_with[columns], text_of_run))
    columns = columns[rarest_first]  # of each text still in one piece
    has_run = np.zeros(len(texts_with), dtype=bool)
    for later, candidates in _candidates(text_of_run, columns, sizes):
        own = columns[runs.indptr[later] : runs.indptr[later + 1]]
        has_run[own] = True
        for earlier in candidates[~repeated[candidates]][:_MOST_COMPARED]:
            other = columns[runs.indptr[earlier] : runs.indptr[earlier + 1]]
            both = int(np.count_nonzero(has_run[other]))
            if both >= _NEARLY_THE_SAME * (len(own) + len(other) - both):
                repeated[later] = True
                break
        has_run[own] = False
    return repeated


def _candidates(
    text_of_run: NDArray[np.int64], columns: NDArray[np.int64], sizes: NDArray[np.int64]
) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Each text that may repeat another, with the earlier ones it may repeat, likeliest first.

    `columns` names each text's runs, the rarest first.
    """
    from scipy.sparse import csr_array

    place = np.arange(len(columns)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    # Of two texts that share that much, each lacks at most a fifth of the other's runs.
    rare = place <= np.floor((1 - _NEARLY_THE_SAME) * sizes + 1e-9)[text_of_run]
    rows, columns = text_of_run[rare], columns[rare]
    by_run = np.argsort(columns, kind="stable")  # and by text, where the run is the same
    firsts = np.searchsorted(columns[by_run], columns[by_run])
    found_by = by_run[np.arange(len(by_run)) - firsts < _MOST_FOUND_BY]

    shape = (len(sizes), int(columns.max(initial=0)) + 1)
    ones = np.ones(len(rows), np.int32)
    all_rare = csr_array((ones, (rows, columns)), shape=shape)
    earlier_ones = csr_array((ones[found_by], (rows[found_by], columns[found_by])), shape=shape).T
    for start in range(0, len(sizes), _COMPARED_AT_ONCE):
        common = all_rare[start : start + _COMPARED_AT_ONCE] @ earlier_ones
        for row, (first, last) in enumerate(pairwise(common.indptr), start):
            earlier, shared = common.indices[first:last], common.data[first:last]
            size, others = sizes[row], sizes[earlier]
            near = np.minimum(size, others) >= _NEARLY_THE_SAME * np.maximum(size, others)
            near &= earlier < row
            if near.any():
                yield row, earlier[near][np.argsort(-shared[near], kind="stable")]


def repeats_of(known: Sequence[str], texts: Sequence[str]) -> NDArray[np.bool_]:
    """`[n]`: whether a text is the same, or nearly, as a known one or as an earlier one."""
    # The known ones come first, because of two similar texts the earlier one stays.
    contents = [*known, *texts]
    return (exact_duplicates(contents) | near_duplicates(contents))[len(known) :]


def versions_of_one_text(first: Sequence[str], second: Sequence[str]) -> NDArray[np.bool_]:
    """`[n]`: whether the nth texts share over half of the shorter one's runs of 5 words.

    This is for texts that an id says are the same: edited or shortened they still share that
    much, while two reviews rarely have more than a phrase in common.
    """
    pairs = [(set(_runs(one)), set(_runs(other))) for one, other in zip(first, second, strict=True)]
    shared = [
        len(one & other) > _SHARED_BY_VERSIONS * min(len(one), len(other)) for one, other in pairs
    ]
    return np.array(shared, dtype=bool)


def _runs(text: str) -> list[str]:
    """Every 5 words that follow each other; of a shorter text all its words."""
    words = _WORD.findall(_folded(text))
    last = max(len(words) - _WORDS_IN_A_RUN, 0)
    return [" ".join(words[at : at + _WORDS_IN_A_RUN]) for at in range(last + 1) if words]


def _folded(text: str) -> str:
    return normalized("NFKC", text).casefold()
