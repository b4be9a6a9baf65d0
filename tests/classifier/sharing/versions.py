"""Complete versions with documents as a training writes them, and tiny untrained models."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer

from classifier.data.schema import OURS
from classifier.files import write_json, write_text
from classifier.modeling.saving import save_model
from classifier.registry.registry import Registry
from classifier.registry.version import Version
from classifier.reports.model_card import model_card
from classifier.training.loop import new_model
from tests import tiny

SECRET = "Тайна-пользователя-4815"  # what must not leave, in each place where it could be
_SUPPORT = {"Bad": 12, "Neutral": 3, "Good": 15}


def figures(accuracy: float) -> dict[str, Any]:
    by_class = {"precision": accuracy, "recall": accuracy, "f1": accuracy}
    return {
        **{"accuracy": accuracy, "weighted_f1": accuracy - 0.01, "macro_f1": accuracy - 0.1},
        **{"rating_mae": 1.2, "rows": 30, "rated_rows": 28, "temperature": 1.1, "intervals": {}},
        "per_class": {name: by_class | {"support": count} for name, count in _SUPPORT.items()},
        "confusion": [[10] * 3] * 3,
    }


def training(source: str = "sample", **changes: Any) -> dict[str, Any]:
    """training.json; with another source than the sample one that must not leave."""
    part = {"rows": 30, **_SUPPORT, "rated": 28}
    reason = "the bundled sample: the hub can't be reached through the proxy of ALL_PROXY"
    return {
        "reviews": {
            "source": source,
            "reason": reason if source == "sample" else f"the file {Path(source).name}",
            "fingerprint": "0123456789abcdef" * 4,
            "counts": {"read": 90, "kept": 90},
            "parts": dict.fromkeys(("train", "validation", "holdout"), part),
        },
        "split": "random",
        "schema": {"columns": "" if source == "sample" else f"content={SECRET}"}
        | {"labels": OURS.labels, "scale": OURS.scale},
        "keep_ratings": False,
        "encoder": {"name": f"/home/{SECRET}/tiny", "origin": "the folder tiny"}
        | {"stand_in": False, "revision": None},
        "recipe": {"name": "default", "max_tokens": 64, "head_share": 0.5, "rating_head": True},
        "seed": 42,
        "versions": {"python": "3.11.7"},
    } | changes


def publish(
    models: Path,
    encoder: Path,
    seed: int = 0,
    trained: dict[str, Any] | None = None,
    ids: str = "id",
) -> Version:
    """A version with a report and plots, whose CLS pooling has the better figures."""
    registry, tokenizer = Registry(models), AutoTokenizer.from_pretrained(encoder)
    trained = training() if trained is None else trained
    metrics = {
        **{"cls": figures(0.9), "mean": figures(0.8)},
        "comparison": {"verdict": "No difference shown on 30 reviews.", "sentiment_agreement": 0.9},
    }
    split = {part: [f"{ids}-{part}"] for part in ("train", "validation", "holdout")}
    documents = {"training": trained, "metrics": metrics, "split": split, "history": {"cls": []}}
    with (
        registry.stage(datetime(2026, 1, 1 + seed, tzinfo=UTC)) as staging,
        torch.random.fork_rng([]),
    ):
        for number, pooling in enumerate(("cls", "mean")):
            folder = staging.path / pooling
            model = new_model(str(encoder), pooling, tiny.RECIPE, 2 * seed + number)
            save_model(model, tokenizer, folder)
            write_text(folder / "README.md", model_card(trained, metrics, [pooling]))
        for stem, document in documents.items():
            write_json(staging.path / f"{stem}.json", document)
        write_text(staging.path / "README.md", model_card(trained, metrics))
        write_text(staging.path / "report.html", f"<p>{SECRET}</p>")
        (staging.path / "plots").mkdir()
        (staging.path / "plots" / "confusion.png").write_bytes(b"\x89PNG")
        return staging.publish()
