"""The reference notebook's recipe in plain PyTorch, as the notebook has it.

One encoder and one linear layer; every review padded to 512 tokens; batches of 16 in random order;
float32; AdamW at 2e-5; cross-entropy on the sentiment.
"""

import time
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset
from transformers import AutoModel, AutoTokenizer, PreTrainedTokenizerBase

from benchmarks import rows
from benchmarks.pace import Pace, TrainingJob
from classifier.labels import SENTIMENTS
from classifier.modeling.device import default_device

_MAX_TOKENS = 512
_BATCH_SIZE = 16


class NotebookClassifier(nn.Module):
    """Logits [batch, 3] from the CLS vector."""

    def __init__(self, encoder: str) -> None:
        super().__init__()
        self.encoder = AutoModel.from_pretrained(encoder)
        self.linear = nn.Linear(self.encoder.config.hidden_size, len(SENTIMENTS))

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        output = self.encoder(input_ids=input_ids, attention_mask=attention_mask)
        logits: Tensor = self.linear(output.last_hidden_state[:, 0])
        return logits


def measure(values: dict[str, Any]) -> dict[str, Any]:
    """A burst of training with CLS pooling."""
    job = TrainingJob(**values)
    torch.manual_seed(job.seed)
    device = default_device()
    model = NotebookClassifier(job.encoder).to(device)
    max_tokens = min(_MAX_TOKENS, model.encoder.config.max_position_embeddings)
    started = time.perf_counter()
    data = _tensors(rows.load(job.rows), AutoTokenizer.from_pretrained(job.encoder), max_tokens)
    prepared = time.perf_counter() - started
    batches = DataLoader(data, batch_size=_BATCH_SIZE, shuffle=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-5)
    pace = Pace(job.seconds)
    model.train()
    while True:
        for ids, mask, labels in batches:
            logits = model(ids.to(device), mask.to(device))
            loss = nn.functional.cross_entropy(logits, labels.to(device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if pace.step(len(ids), loss.item()):
                return pace.figures() | {"tokenizing_seconds": prepared}


def _tensors(
    found: list[rows.Row], tokenizer: PreTrainedTokenizerBase, max_tokens: int
) -> TensorDataset:
    batch = tokenizer(
        [row["text"] for row in found],
        padding="max_length",
        truncation=True,
        max_length=max_tokens,
        return_tensors="pt",
    )
    labels = torch.tensor([row["sentiment"] for row in found])
    return TensorDataset(batch["input_ids"], batch["attention_mask"], labels)
