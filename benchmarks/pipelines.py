"""The text-classification pipeline of transformers on our models' weights."""

from pathlib import Path
from typing import Any

import torch
from transformers import pipeline

from benchmarks.answering import Said, ServingJob, timed
from classifier.commands.quiet import quiet_libraries
from classifier.modeling.device import default_device
from classifier.modeling.pooling import POOLINGS

_BATCH_SIZE = 32


def measure(values: dict[str, Any]) -> dict[str, Any]:
    """A text-classification pipeline for each model, one after the other on the same texts."""
    quiet_libraries()
    job = ServingJob(**values)
    both = {pooling: _pipeline(Path(job.version) / pooling, job.bfloat16) for pooling in POOLINGS}

    def answer(texts: list[str]) -> dict[str, Said]:
        found = {name: pipe(texts, batch_size=_BATCH_SIZE) for name, pipe in both.items()}
        return {
            name: Said([one["label"] for one in answers], [None] * len(texts))
            for name, answers in found.items()
        }

    return timed(answer, job)


def _pipeline(folder: Path, bfloat16: bool) -> Any:
    return pipeline(
        "text-classification",
        model=str(folder),
        trust_remote_code=True,  # a folder of this machine, with this package's code
        dtype=torch.bfloat16 if bfloat16 else torch.float32,
        device=default_device(),
    )
