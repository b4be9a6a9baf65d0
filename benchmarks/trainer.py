"""`transformers.Trainer` at its best settings, on the same model with the same loss.

Batches of similar length, fused AdamW, bfloat16 where the device has it, as many tokens as ours,
padding to the longest of a batch, no dropout in the attention (it rules out the fast kernels),
nothing saved, logged or evaluated. `training.py` measures both of its attention kernels.
"""

import tempfile
import time
from typing import Any

import torch
from datasets import Dataset
from torch import Tensor, nn
from transformers import AutoTokenizer, DataCollatorWithPadding, Trainer, TrainerCallback
from transformers.training_args import TrainingArguments

from benchmarks import rows
from benchmarks.pace import Pace, TrainingJob
from classifier.commands.quiet import quiet_libraries
from classifier.labels import NO_RATING
from classifier.modeling.classifier import PoolingClassifier
from classifier.modeling.device import compute_dtype, default_device
from classifier.training.loop import new_model
from classifier.training.loss import Targets, loss_sums
from classifier.training.recipe import DEFAULT

_EPOCHS = 1000  # the stopwatch ends it long before


class WithLoss(nn.Module):
    """The classifier in the form that the Trainer needs: it returns a batch's loss."""

    def __init__(self, classifier: PoolingClassifier) -> None:
        super().__init__()
        self.classifier = classifier
        self.last_loss = torch.tensor(0.0)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, sentiment: Tensor, rating: Tensor
    ) -> dict[str, Tensor]:
        output = self.classifier(input_ids=input_ids, attention_mask=attention_mask)
        sentiment_loss, rating_loss = loss_sums(output, Targets(sentiment, rating))
        rated = (rating != NO_RATING).sum().clamp(min=1)
        loss = sentiment_loss / len(sentiment) + rating_loss / rated
        self.last_loss = loss.detach()
        return {"loss": loss}


class _Stopwatch(TrainerCallback):
    def __init__(self, model: WithLoss, pace: Pace) -> None:
        self._model, self._pace = model, pace

    def on_epoch_begin(self, *_: Any, **__: Any) -> None:
        self._pace.interrupt()

    def on_step_end(self, *arguments: Any, **__: Any) -> None:
        if self._pace.step(DEFAULT.batch_size, self._model.last_loss.item()):
            arguments[2].should_training_stop = True  # the control, after arguments and state


def measure(values: dict[str, Any]) -> dict[str, Any]:
    """A burst of training with one pooling."""
    job = TrainingJob(**values)
    quiet_libraries()
    classifier = new_model(job.encoder, job.pooling, DEFAULT, job.seed)
    classifier.set_attn_implementation(job.attention)
    model = WithLoss(classifier)
    tokenizer = AutoTokenizer.from_pretrained(job.encoder)
    started = time.perf_counter()
    data = _dataset(rows.load(job.rows), tokenizer)
    prepared = time.perf_counter() - started
    pace = Pace(job.seconds)
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            model=model,
            args=_arguments(folder, job.seed),
            train_dataset=data,
            data_collator=DataCollatorWithPadding(tokenizer),
            callbacks=[_Stopwatch(model, pace)],
        )
        trainer.train()
    return pace.figures() | {"tokenizing_seconds": prepared}


def _dataset(found: list[rows.Row], tokenizer: Any) -> Dataset:
    texts = [row["text"] for row in found]
    encoded = tokenizer(texts, truncation=True, max_length=DEFAULT.max_tokens)
    return Dataset.from_dict(
        {
            "input_ids": encoded["input_ids"],
            "attention_mask": encoded["attention_mask"],
            "length": [len(ids) for ids in encoded["input_ids"]],
            "sentiment": [row["sentiment"] for row in found],
            "rating": [NO_RATING if row["rating"] is None else row["rating"] for row in found],
        }
    )


def _arguments(folder: str, seed: int) -> TrainingArguments:
    device = default_device()
    return TrainingArguments(
        output_dir=folder,
        per_device_train_batch_size=DEFAULT.batch_size,
        num_train_epochs=_EPOCHS,
        learning_rate=DEFAULT.learning_rate,
        weight_decay=DEFAULT.weight_decay,
        optim="adamw_torch_fused",
        train_sampling_strategy="group_by_length",
        bf16=compute_dtype(device) == torch.bfloat16,
        use_cpu=device.type == "cpu",
        dataloader_num_workers=0,
        dataloader_pin_memory=device.type == "cuda",
        eval_strategy="no",
        save_strategy="no",
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
        seed=seed,
    )
