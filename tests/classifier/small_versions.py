"""Complete versions of a few kilobytes, written without torch, for tests of the registry alone."""

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from classifier.registry.registry import Registry
from classifier.registry.version import Version

NOON = datetime(2025, 1, 2, 12, 0, tzinfo=UTC)
DOCUMENTS = ("metrics", "history", "split", "training")


def fill(folder: Path, seed: int = 0) -> None:
    """A complete version in small."""
    for pooling in ("cls", "mean"):
        (folder / pooling).mkdir()
        (folder / pooling / "config.json").write_text(json.dumps({"pooling": pooling}))
        (folder / pooling / "tokenizer.json").write_text("{}")
        (folder / pooling / "model.safetensors").write_bytes(random.Random(seed).randbytes(4096))
    for document in DOCUMENTS:
        (folder / f"{document}.json").write_text(json.dumps({"of": document, "seed": seed}))
    (folder / "README.md").write_text("# A version\n")


def publish(
    registry: Registry, seed: int, change: Callable[[Path], object] | None = None
) -> Version:
    with registry.stage(NOON + timedelta(seconds=seed)) as staging:
        fill(staging.path, seed)
        if change:
            change(staging.path)
        return staging.publish()


def cycle(registry: Registry, seed: int) -> None:
    """Everything that changes models/, once."""
    registry.promote(publish(registry, seed).name)
    registry.promote(publish(registry, seed + 1).name)
    registry.rollback()
    registry.prune(keep=2)


def next_seed(registry: Registry) -> int:
    return 1 + max((int(version.metrics()["seed"]) for version in registry.versions()), default=0)


def leftovers(root: Path) -> list[str]:
    return [path.name for path in root.glob(".*") if path.name != ".lock"]
