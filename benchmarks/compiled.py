"""The trained modules themselves, compiled by torch.compile."""

from pathlib import Path
from typing import Any

from benchmarks.answering import ServingJob, side_by_side, timed
from classifier.commands.quiet import quiet_libraries
from classifier.modeling.device import compute_dtype, default_device
from classifier.modeling.loading import load_classifier
from classifier.modeling.pooling import POOLINGS
from classifier.serving.packed_config import ServedConfig
from classifier.serving.plain_model import PlainModel


def measure(values: dict[str, Any]) -> dict[str, Any]:
    """Both models side by side, with shapes that may change from batch to batch."""
    quiet_libraries()
    job = ServingJob(**values)
    models = {pooling: _compiled(Path(job.version) / pooling).predict for pooling in POOLINGS}
    return timed(side_by_side(Path(job.version), models), job)


def _compiled(folder: Path) -> PlainModel:
    device = default_device()
    model = load_classifier(folder).to(device)  # type: ignore[arg-type]
    # In place, so that the module stays the one that `PlainModel` takes; the heads are nothing.
    model.encoder.compile(dynamic=True)
    return PlainModel(ServedConfig.read(folder), model, compute_dtype(device))
