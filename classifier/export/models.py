"""The ONNX files of a version, each compared with the model that it was made from."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset

from classifier.data.reviews import load_reviews
from classifier.data.tokenizer import FastTokenizer
from classifier.data.tokens import Tokens
from classifier.errors import ClassifierError
from classifier.evaluation.metrics import evaluate
from classifier.evaluation.version_scores import Scores
from classifier.export.graph import write_onnx
from classifier.export.int8 import write_int8
from classifier.export.onnx_model import OnnxModel
from classifier.export.parity import check_float32, check_int8, largest_difference, original_outputs
from classifier.modeling.classifier import PoolingClassifier
from classifier.modeling.device import compute_dtype
from classifier.modeling.outputs import Outputs
from classifier.modeling.temperature import calibrated_probabilities
from classifier.registry.provenance import holdout_rows, knows_its_reviews
from classifier.registry.version import Version
from classifier.serving.predictor import load_model

Figures = dict[str, Any]

_COMPARED = 128  # reviews, from the shortest to the longest
_ODD = ("", "Да", "[CLS] [SEP] <s> </s>", "Очень длинная рецензия. " * 1000)
_SHOWN = ("accuracy", "macro_f1", "rating_mae")
_CPU = torch.device("cpu")


@dataclass(frozen=True)
class Judging:
    """The reviews on which exports are compared with their version."""

    rows: Dataset  # as `Reviews.rows` has them
    name: str  # as a sentence goes on: "the version's holdout"

    @classmethod
    def of(cls, version: Version) -> "Judging":
        """The version's holdout; or the bundled sample, and why."""
        try:
            return cls(holdout_rows(version), "the version's holdout")
        except ClassifierError as error:
            why = str(error).rstrip(".")
            sample = load_reviews("sample").rows
            return cls(sample, f"the bundled sample, since the holdout can't be had ({why})")

    def texts(self, *, keep_ratings: bool) -> list[str]:
        """As models see them."""
        return list(self.rows["content" if keep_ratings else "text"])


def write_models(
    version: Version,
    model: PoolingClassifier,
    folder: Path,
    judging: Judging,
    scores: Scores | None,
) -> dict[str, Figures]:
    """Write a version's model into `folder`, and, with `scores` of the version, an int8 one.

    Returns what is known of each file, by its name. Raises ClassifierError for a model that can't
    be traced, and for an export that misses `parity.BOUNDS`.
    """
    config = model.config
    pooling, source = config.pooling, version.path / config.pooling
    tokenizer = FastTokenizer(source)

    def tokens(texts: list[str]) -> Tokens:
        return tokenizer.tokens(texts, config.max_tokens, config.head_share)

    texts = judging.texts(keep_ratings=config.keep_ratings)
    compared = tokens([*_spread(texts), *_ODD])
    original = original_outputs(model, compared)
    large = folder / f"{pooling}.onnx"
    write_onnx(model, large, {"version": version.name, "pooling": pooling})
    exported = OnnxModel(large).predict(compared)
    difference = largest_difference(original, exported)
    check_float32(pooling, difference)
    found = {
        large.name: {
            **_file(large, len(compared), difference),
            "predict": _beside_predict(source, compared, exported, config.temperature),
        }
    }
    if scores is None:
        return found
    small = folder / f"{pooling}.int8.onnx"
    write_int8(large, small)
    int8 = OnnxModel(small)
    figures = evaluate(int8.predict(tokens(texts)), scores.labels, temperature=config.temperature)
    check_int8(pooling, scores.metrics[pooling], figures)
    difference = largest_difference(original, int8.predict(compared))
    found[small.name] = {
        **_file(small, len(compared), difference),
        "rows": figures["rows"],
        "figures": _shown(figures),
        "figures_of_the_version": _shown(scores.metrics[pooling]),
        "trained_on": scores.trained_on if knows_its_reviews(version) else None,
    }
    return found


def _spread(texts: list[str]) -> list[str]:
    """At most `_COMPARED` of the texts, of all lengths."""
    ordered = sorted(texts, key=len)
    places = np.linspace(0, len(ordered) - 1, min(_COMPARED, len(ordered))).round().astype(int)
    return [ordered[place] for place in places]


def _file(file: Path, texts: int, difference: float) -> Figures:
    files = sorted(file.parent.glob(f"{file.name}*"))  # its weights beside it, where they are large
    return {
        "files": [one.name for one in files],
        "bytes": sum(one.stat().st_size for one in files),
        "texts": texts,
        "largest_logit_difference": difference,
    }


def _beside_predict(source: Path, tokens: Tokens, exported: Outputs, temperature: float) -> Figures:
    """How far the probability of a sentiment is from the one that `predict` gives here."""
    answered = load_model(source, _CPU).predict(tokens)
    ours, theirs = (
        calibrated_probabilities(outputs.sentiment_logits, temperature)
        for outputs in (exported, answered)
    )
    return {
        "computes_in": str(compute_dtype(_CPU)).removeprefix("torch."),
        "largest_probability_difference": float(np.abs(ours - theirs).max()),
    }


def _shown(figures: Figures) -> Figures:
    return {name: figures[name] for name in _SHOWN if figures.get(name) is not None}
