"""What a version keeps of the trainings besides the models: the figures, and the reference."""

from typing import Any

from transformers import PreTrainedTokenizerBase

from classifier.data.splits import Parts
from classifier.evaluation import drift
from classifier.evaluation.comparison import compare, compare_seeds
from classifier.modeling.temperature import calibrated_probabilities
from classifier.training.additional_rows import Extra
from classifier.training.both_poolings import Data, Trained


def figures(data: Data, pairs: list[dict[str, Trained]]) -> dict[str, Any]:
    """metrics.json: the first seed's pair, and all seeds where there are several."""
    first = pairs[0]
    found: dict[str, Any] = {name: trained.metrics for name, trained in first.items()}
    found["comparison"] = compare(first["cls"].outputs, first["mean"].outputs, data.holdout.labels)
    found["unstripped"] = {name: trained.unstripped for name, trained in first.items()}
    if len(pairs) > 1:
        runs = [(pair["cls"].metrics, pair["mean"].metrics) for pair in pairs]
        found["seeds"] = compare_seeds(runs)
    return found


def reference(
    parts: Parts,
    extra: Extra | None,
    data: Data,
    tokenizer: PreTrainedTokenizerBase,
    pair: dict[str, Trained],
) -> dict[str, Any]:
    """reference.json: what live reviews are compared with.

    The texts are those trained on, the answers those to the holdout: a model is surer of what it
    has seen.
    """
    contents = [*parts.train["content"], *(extra.rows["content"] if extra else [])]
    values = drift.of_texts(contents, data.training.tokens, tokenizer.unk_token_id)
    for pooling, trained in pair.items():
        logits = trained.outputs.sentiment_logits
        probabilities = calibrated_probabilities(logits, trained.temperature)
        values |= drift.of_answers(pooling, probabilities)
    return drift.reference(values)
