"""The contracts are tried on the same tiny models as the classifier's own tests."""

from tests.classifier.conftest import (
    _few_threads,
    in_memory,
    make_part,
    make_rows,
    ragged,
    tiny_model,
    tiny_recipe,
    tokenizer,
)

__all__ = [
    "_few_threads",
    "in_memory",
    "make_part",
    "make_rows",
    "ragged",
    "tiny_model",
    "tiny_recipe",
    "tokenizer",
]
