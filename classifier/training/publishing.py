"""A finished experiment as a version on disk: weights, figures, cards and the report."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version as installed
from typing import Any

import torch
from transformers import PreTrainedTokenizerBase

from classifier.files import write_json, write_text
from classifier.modeling.classifier import PoolingClassifier
from classifier.modeling.device import compute_dtype
from classifier.registry.registry import Registry
from classifier.registry.version import Version
from classifier.reports.model_card import pooling_card, version_card
from classifier.reports.report import Holdout, write_report

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
            model.save_pretrained(folder)
            tokenizer.save_pretrained(folder)
            write_text(folder / "README.md", pooling_card(pooling, training, metrics))
        for stem, document in documents.items():
            write_json(staging.path / f"{stem}.json", document)
        write_text(staging.path / "README.md", version_card(training, metrics))
        write_report(staging.path, training, documents["history"], metrics, holdout)
        return staging.publish()


def surroundings(device: torch.device) -> dict[str, dict[str, Any]]:
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
