"""Which labels are likely wrong: confident learning (Northcutt, Jiang and Chuang 2021,
https://arxiv.org/abs/1911.00068), by cleanlab.

A class counts as meant by a row where it is at least as probable as it is on average in the rows
labelled so: a rare or hard class, of which the models are never sure, is not taken for an error.
"""

import warnings

import numpy as np
from numpy.typing import NDArray


def likely_wrong(
    labels: NDArray[np.int64], probabilities: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The rows whose labels are likely wrong, the worst first, and the quality [n] of every label.

    `probabilities` [n, k] are of models that were not trained on the row. The quality, 0 to 1, is
    low where another class is far more probable than the given one. It is not measured by how
    probable each class usually is: of planted errors that found fewer, see docs/experiments.md.
    """
    from cleanlab.filter import find_label_issues  # as much as a second with sklearn
    from cleanlab.rank import get_label_quality_scores

    with warnings.catch_warnings():  # about a class with hardly any rows
        warnings.simplefilter("ignore", UserWarning)
        wrong = find_label_issues(labels, probabilities, filter_by="prune_by_noise_rate", n_jobs=1)
    quality = get_label_quality_scores(labels, probabilities, method="normalized_margin")
    rows = np.flatnonzero(wrong)
    return rows[np.argsort(quality[rows], kind="stable")], quality
