"""Texts that are the same, nearly the same, or versions of one text."""

import hashlib
import re
import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_WORDS_IN_A_RUN = 5
_NEARLY_THE_SAME = 0.8  # Jaccard similarity of the sets of runs
_SHARED_BY_VERSIONS = 0.5
_BUCKETS = 2**31 - 1  # the most that scikit-learn takes
_COMPARED_AT_ONCE = 256
_WORD = re.compile(r"\w+")


def exact_duplicates(texts: Sequence[str]) -> NDArray[np.bool_]:
    """`[n]`: whether an earlier text is the same but for letter case, blanks and Unicode forms."""
    seen: set[bytes] = set()
    repeated = np.zeros(len(texts), dtype=bool)
    for index, text in enumerate(texts):
        key = hashlib.sha256(" ".join(_folded(text).split()).encode()).digest()
        repeated[index] = key in seen
        seen.add(key)
    return repeated


def near_duplicates(texts: Sequence[str]) -> NDArray[np.bool_]:
    """`[n]`: whether an earlier text that stays is nearly the same.

    Nearly the same: the sets of runs of 5 words have a Jaccard similarity of 0.8 or more
    (shingling, Broder 1997, https://doi.org/10.1109/SEQUEN.1997.666900). It is computed, not
    estimated by MinHash: two texts can only be that alike where at most a fifth of the runs of
    each are in no other text, which leaves few of them to compare.
    A text shorter than 5 words is one run, so only the same words in the same order match.

    Runs are compared by their hashes, of which there are 2 thousand million. Two different runs
    with one hash change the result only where two long texts are one run short of the limit, or
    both texts are shorter than 5 words.
    """
    from scipy.sparse import csr_array
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
    shared = texts_with[columns] > 1
    enough = np.bincount(text_of_run[shared], minlength=len(texts)) >= _NEARLY_THE_SAME * sizes
    rows = np.flatnonzero(enough & (sizes > 0))
    shared &= np.isin(text_of_run, rows)

    place = np.searchsorted(rows, text_of_run[shared])
    ones = np.ones(len(place), np.int32)
    contains = csr_array((ones, (place, columns[shared])), shape=(len(rows), len(texts_with)))
    for start in range(0, len(rows), _COMPARED_AT_ONCE):
        common = contains[start : start + _COMPARED_AT_ONCE] @ contains.T
        for later, first, last in zip(rows[start:], common.indptr, common.indptr[1:], strict=False):
            earlier, both = rows[common.indices[first:last]], common.data[first:last]
            alike = both >= _NEARLY_THE_SAME * (sizes[later] + sizes[earlier] - both)
            repeated[later] = np.any(alike & (earlier < later) & ~repeated[earlier])
    return repeated


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
    return unicodedata.normalize("NFKC", text).casefold()
