"""A trained classifier as an ONNX graph: encoder, pooling, both heads, and the temperature."""

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from classifier.errors import ClassifierError
from classifier.files import means_full_disk
from classifier.modeling.classifier import PoolingClassifier

OPSET = 18  # of ONNX: onnxruntime reads it since 1.14 (2023)
INPUTS = ("input_ids", "attention_mask")
OUTPUTS = (
    "sentiment_logits",
    "sentiment_probabilities",
    "rating_logits",
    "rating_probabilities",
)
"""The last two only of a model with a rating head. The logits are before the temperature."""

MOST_IN_ONE_FILE = 1_900_000_000  # bytes; protobuf can't hold 2 GiB


class _Answers(nn.Module):
    """The classifier's logits, and with them the probabilities that are shown."""

    def __init__(self, model: PoolingClassifier) -> None:
        super().__init__()
        self.model = model
        self.temperature = float(model.config.temperature)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, ...]:
        output = self.model(input_ids, attention_mask)
        sentiment, rating = output.sentiment_logits, output.rating_logits
        answers = (sentiment, (sentiment / self.temperature).softmax(-1))
        return answers if rating is None else (*answers, rating, rating.softmax(-1))


def write_onnx(model: PoolingClassifier, file: Path, about: Mapping[str, str]) -> None:
    """Write the model to `file`, with `about` as its metadata.

    `INPUTS` are int64 `[batch, tokens]`, both dimensions of any size (tokens up to the encoder's
    positions). Weights too large for one file go to another beside it, named `….data`.
    Raises ClassifierError for an encoder that torch's exporter can't trace.
    """
    answers = _Answers(model).eval()
    tokens = torch.arange(32).view(2, 16) + 5  # which tokens is all the same
    mask = torch.ones_like(tokens)
    mask[1, 12:] = 0
    named = {0: "batch", 1: "tokens"}
    outputs = OUTPUTS if model.config.rating_head else OUTPUTS[:2]
    size = sum(weight.nbytes for weight in model.state_dict().values())
    try:
        with quiet_exporters(), torch.no_grad():
            program = torch.onnx.export(
                answers,
                (tokens, mask),
                dynamo=True,
                input_names=INPUTS,
                output_names=outputs,
                dynamic_shapes=dict.fromkeys(INPUTS, named),
                opset_version=OPSET,
                verbose=False,
            )
            assert program is not None
            _forget_the_machine(program.model)
            program.model.metadata_props.update(about)
            program.save(file, external_data=size > MOST_IN_ONE_FILE)
    except Exception as error:  # in as many ways as there are encoders
        if means_full_disk(error):
            raise
        why = " ".join(str(error).split())
        raise ClassifierError(f"The model can't be exported to ONNX: {why:.300}") from error


def _forget_the_machine(model: Any) -> None:
    """Remove the stack traces that torch leaves at every node: paths of this machine."""
    for node in model.graph.all_nodes():
        node.metadata_props.clear()
        node.doc_string = None
        for value in node.outputs:
            value.metadata_props.clear()
    model.graph.metadata_props.clear()


@contextmanager
def quiet_exporters() -> Iterator[None]:
    """Without what torch and onnxruntime say of their own inner workings.

    onnxruntime's quantiser gives the root logger a handler when it is imported, which goes again.
    """
    root = logging.getLogger()
    disabled, before = root.manager.disable, (root.level, root.handlers[:])
    logging.disable(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        root.level, root.handlers[:] = before
        logging.disable(disabled)
