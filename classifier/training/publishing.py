"""A finished experiment as a version on disk: weights, figures, cards and the report."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version as installed
from typing import Any

import torch
from transformers import PreTrainedTokenizerBase

from classifier.data.splits import Parts
from classifier.evaluation import drift
from classifier.evaluation.comparison import compare, compare_seeds
from classifier.files import write_json, write_text
from classifier.modeling.classifier import PoolingClassifier
from classifier.modeling.device import compute_dtype, default_device
from classifier.modeling.outputs import Labels
from classifier.modeling.saving import save_model
from classifier.modeling.temperature import calibrated_probabilities
from classifier.registry.registry import Registry
from classifier.registry.version import Version
from classifier.reports.model_card import model_card
from classifier.reports.report import Holdout, write_report
from classifier.serving.predictor import Predictor
from classifier.training.additional_rows import AdditionalRows
from classifier.training.both_poolings import Trained
from classifier.training.parts import Part

_LIBRARIES = ("torch", "transformers", "datasets", "scikit-learn", "safetensors", "numpy")


def publish(
    registry: Registry,
    models: dict[str, PoolingClassifier],
    tokenizer: PreTrainedTokenizerBase,
    documents: dict[str, dict[str, Any]],
    holdout: Holdout,
) -> Version:
    """Write a version and make it visible, all at once.

    `documents` are the JSON files by stem: metrics, history, split, training and reference.
    Raises ClassifierError on a full disk; nothing is left then.
    """
    training, metrics = documents["training"], documents["metrics"]
    with registry.stage(datetime.now(UTC)) as staging:
        for pooling, model in models.items():
            folder = staging.path / pooling
            save_model(model, tokenizer, folder)
            write_text(folder / "README.md", model_card(training, metrics, [pooling]))
        for stem, document in documents.items():
            write_json(staging.path / f"{stem}.json", document)
        write_text(staging.path / "README.md", model_card(training, metrics))
        predict = Predictor(staging.path, default_device()).predict
        write_report(staging.path, training, documents["history"], metrics, holdout, predict)
        return staging.publish()


def metrics_document(labels: Labels, by_seed: list[dict[str, Trained]]) -> dict[str, Any]:
    """metrics.json: the figures of the first seed, and of all seeds where there are several."""
    first = by_seed[0]
    document: dict[str, Any] = {name: trained.metrics for name, trained in first.items()}
    document["comparison"] = compare(first["cls"].outputs, first["mean"].outputs, labels)
    document["unstripped"] = {name: trained.unstripped for name, trained in first.items()}
    if len(by_seed) > 1:
        runs = [(results["cls"].metrics, results["mean"].metrics) for results in by_seed]
        document["seeds"] = compare_seeds(runs)
    return document


def reference_document(
    parts: Parts,
    additional: AdditionalRows | None,
    training: Part,
    tokenizer: PreTrainedTokenizerBase,
    results: dict[str, Trained],
) -> dict[str, Any]:
    """reference.json: what live reviews are compared with.

    The texts are those trained on, the answers those to the holdout: a model is surer of what it
    has seen.
    """
    contents = [*parts.train["content"], *(additional.rows["content"] if additional else [])]
    values = drift.of_texts(contents, training.tokens, tokenizer.unk_token_id)
    for pooling, trained in results.items():
        logits = trained.outputs.sentiment_logits
        probabilities = calibrated_probabilities(logits, trained.temperature)
        values |= drift.of_answers(pooling, probabilities)
    return drift.reference(values)


def environment(device: torch.device) -> dict[str, dict[str, Any]]:
    """The library versions and the machine, as training.json keeps them."""
    versions = {"python": platform.python_version()}
    versions |= {library: installed(library) for library in _LIBRARIES}
    machine = {
        "system": platform.system(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        "arithmetic": str(compute_dtype(device)).removeprefix("torch."),
    }
    return {"versions": versions, "machine": machine}
