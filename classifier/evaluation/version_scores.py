"""A trained version on labelled reviews that it may never have seen."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from numpy.typing import NDArray

from classifier.data.tokenizer import load_tokenizer, tokenize_cached
from classifier.evaluation.comparison import compare
from classifier.evaluation.metrics import Metrics, evaluate
from classifier.modeling.outputs import Labels, Outputs, answers_of, labels_of
from classifier.modeling.pooling import POOLINGS
from classifier.registry.provenance import learnt_by
from classifier.registry.version import Version
from classifier.serving.predictor import load_model


@dataclass(frozen=True)
class Scores:
    """What both models of a version say of the same rows, and how right they are."""

    version: str
    labels: Labels
    outputs: dict[str, Outputs]
    metrics: dict[str, Metrics]
    trained_on: int  # rows that the version was trained on, which flatter its figures
    longest: int  # tokens that were read of the longest row

    def right(self, pooling: str) -> NDArray[np.bool_]:
        """Of which rows the sentiment is right."""
        answers = answers_of(self.outputs[pooling])
        return np.asarray(answers.sentiment == self.labels.sentiment)

    def figures(self) -> dict[str, Any]:
        """The JSON of figures, with the paired comparison."""
        comparison = compare(self.outputs["cls"], self.outputs["mean"], self.labels)
        return {**self.metrics, "comparison": comparison, "trained_on": self.trained_on}


def score(
    version: Version,
    rows: Dataset,
    device: torch.device,
    cache: Path | None,
    most_tokens: int | None = None,
) -> Scores:
    """Both models on `rows`, as of `Reviews`; ClassifierError if the version can't be loaded.

    `most_tokens`: read no more of each; None: as many as the models do.
    """
    version.verify()
    labels = labels_of(rows)
    longest = 0
    outputs: dict[str, Outputs] = {}
    metrics: dict[str, Metrics] = {}
    for pooling in POOLINGS:
        model = load_model(version.path / pooling, device)
        config = model.config
        texts = rows["content" if config.keep_ratings else "text"]
        tokenizer = load_tokenizer(version.path / pooling)
        most = min(config.max_tokens, most_tokens or config.max_tokens)
        tokens = tokenize_cached(list(texts), tokenizer, most, config.head_share, cache)
        longest = max(longest, int(tokens.lengths.max(initial=0)))
        outputs[pooling] = model.predict(tokens)
        metrics[pooling] = evaluate(outputs[pooling], labels, temperature=config.temperature)
    return Scores(version.name, labels, outputs, metrics, sum(learnt_by(version, rows)), longest)


def versus(first: Scores, second: Scores, names: tuple[str, str] | None = None) -> dict[str, Any]:
    """The paired comparison of two versions by pooling; the verdict calls them by `names`."""
    return {
        pooling: compare(
            first.outputs[pooling],
            second.outputs[pooling],
            first.labels,
            names=names or (f"{first.version}/{pooling}", f"{second.version}/{pooling}"),
        )
        for pooling in POOLINGS
    }
