"""The text-classification pipeline of transformers on our models' weights."""

from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor
from transformers import pipeline
from transformers.modeling_outputs import SequenceClassifierOutput

from benchmarks.answering import ServingJob, timed
from classifier.commands.quiet import quiet_libraries
from classifier.data.tokenizer import load_tokenizer
from classifier.labels import SENTIMENTS
from classifier.modeling.classifier import PoolingClassifier
from classifier.modeling.device import default_device
from classifier.modeling.pooling import POOLINGS

_BATCH_SIZE = 32


class WithLogits(PoolingClassifier):
    """The classifier with the output that the text-classification pipeline reads."""

    def forward(  # type: ignore[override]
        self, input_ids: Tensor, attention_mask: Tensor
    ) -> SequenceClassifierOutput:
        output = super().forward(input_ids, attention_mask)
        return SequenceClassifierOutput(logits=cast("torch.FloatTensor", output.sentiment_logits))


def measure(values: dict[str, Any]) -> dict[str, Any]:
    """A text-classification pipeline for each model, one after the other on the same texts."""
    quiet_libraries()
    job = ServingJob(**values)
    both = {pooling: _pipeline(Path(job.version) / pooling, job.bfloat16) for pooling in POOLINGS}

    def answer(texts: list[str]) -> dict[str, list[str]]:
        found = {name: pipe(texts, batch_size=_BATCH_SIZE) for name, pipe in both.items()}
        return {name: [one["label"] for one in answers] for name, answers in found.items()}

    return timed(answer, job)


def _pipeline(folder: Path, bfloat16: bool) -> Any:
    dtype = torch.bfloat16 if bfloat16 else torch.float32
    model = WithLogits.from_pretrained(folder, local_files_only=True, dtype=dtype)
    model.config.id2label = dict(enumerate(SENTIMENTS))
    tokenizer = load_tokenizer(folder)
    tokenizer.model_input_names = ["input_ids", "attention_mask"]  # all segment ids are 0
    make: Any = pipeline  # its annotations accept no class of ours
    return make(
        "text-classification",
        model=model,
        tokenizer=tokenizer,
        device=default_device(),
        truncation=True,
        max_length=model.config.max_tokens,
    )
