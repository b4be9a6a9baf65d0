"""How far the probabilities of the sentiment can be trusted.

The expected calibration error follows Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern
Neural Networks", 2017 (arXiv:1706.04599).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 15


@dataclass(frozen=True)
class ReliabilityBins:
    """The points of a reliability diagram, by rising confidence; empty bins are left out."""

    confidence: NDArray[np.float64]  # mean probability of the class named, for each bin
    accuracy: NDArray[np.float64]  # share of the bin's rows whose class is right
    count: NDArray[np.int64]  # rows in each bin; never 0


def calibration_gaps(
    probabilities: NDArray[Any], labels: NDArray[np.int64], bins: int = BINS
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """For each row its bin, and its gap: 1 for a right or 0 for a wrong answer, less confidence.

    The bins cut the confidence, which is the probability of the likeliest class, at equal widths;
    a bin holds its upper edge (Guo et al., section 2). Probabilities are [n, k], labels [n].
    """
    confidence = probabilities.max(axis=1)
    inner_edges = np.linspace(0.0, 1.0, bins + 1)[1:-1]
    correct = probabilities.argmax(axis=1) == labels
    return np.digitize(confidence, inner_edges, right=True), correct - confidence


def expected_calibration_error(gap_by_bin: NDArray[Any], rows: int) -> NDArray[np.float64]:
    """Mean distance of accuracy from confidence over the bins, weighted by their rows; 0 to 1.

    `gap_by_bin` [..., bins] is the sum of the gaps of each bin's rows; its absolute value is the
    bin's rows times that distance.
    """
    return np.asarray(np.abs(gap_by_bin).sum(axis=-1) / rows)


def reliability_bins(
    probabilities: NDArray[Any], labels: NDArray[np.int64], bins: int = BINS
) -> ReliabilityBins:
    """Confidence, accuracy and rows of every bin that has rows, of probabilities [n, k]."""
    bin_of_row, gaps = calibration_gaps(probabilities, labels, bins)
    count = np.bincount(bin_of_row, minlength=bins)
    filled = count > 0
    confidence = np.bincount(bin_of_row, weights=probabilities.max(axis=1), minlength=bins)
    gap = np.bincount(bin_of_row, weights=gaps, minlength=bins)
    mean_confidence = confidence[filled] / count[filled]
    return ReliabilityBins(
        confidence=mean_confidence,
        accuracy=mean_confidence + gap[filled] / count[filled],
        count=count[filled],
    )
