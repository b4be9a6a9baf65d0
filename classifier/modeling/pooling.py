"""The names of the two poolings under comparison.

What they compute is in `modeling_kinorate`, which lies in every model's folder; a prediction knows
the names without importing transformers.
"""

from typing import Literal

Pooling = Literal["cls", "mean"]

POOLINGS: tuple[Pooling, ...] = ("cls", "mean")
