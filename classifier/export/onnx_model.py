"""What onnxruntime answers with an exported model."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray

from classifier.data.tokens import Tokens, sorted_batches
from classifier.errors import ClassifierError
from classifier.export.graph import INPUTS
from classifier.modeling.outputs import Outputs

_TOKENS_AT_ONCE = 2048  # with the padding
_ERRORS_ALONE = 3  # of onnxruntime's levels

Run = Callable[[dict[str, NDArray[Any]]], Sequence[NDArray[np.float32]]]
"""From a batch's inputs by name to the logits of its sentiments and, if it has a head, ratings."""


class OnnxModel:
    """An exported model, loaded by onnxruntime on the CPU."""

    def __init__(self, file: Path) -> None:
        """Raises ClassifierError for a file that is missing, cut short, or no such model."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = _ERRORS_ALONE
        try:
            self._session = onnxruntime.InferenceSession(
                file, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime has a class of error for each of its codes
            why = " ".join(str(error).split())
            raise ClassifierError(f"{file} can't be loaded as an ONNX model: {why:.300}") from error
        outputs = {output.name for output in self._session.get_outputs()}
        wanted = ("sentiment_logits", "rating_logits")
        self._logits = [name for name in wanted if name in outputs]
        if {one.name for one in self._session.get_inputs()} != set(INPUTS) or not self._logits:
            raise ClassifierError(f"{file} is an ONNX model, and none that was exported here.")

    def predict(self, tokens: Tokens) -> Outputs:
        """The logits of every row, float32, in their order; like lengths are padded together."""
        return predicted(tokens, lambda inputs: self._session.run(self._logits, inputs))


def predicted(tokens: Tokens, run: Run) -> Outputs:
    """What an exported model answers to every row, in their order, by whatever runs it."""
    batches = list(sorted_batches(tokens.lengths, _TOKENS_AT_ONCE))
    found = []
    for rows, width in batches:
        arrays = (tensor.numpy() for tensor in tokens.batch(rows, width))
        found.append(run(dict(zip(INPUTS, arrays, strict=True))))
    order = np.argsort(np.concatenate([rows for rows, _ in batches]))
    logits = [np.concatenate(parts)[order] for parts in zip(*found, strict=True)]
    return Outputs(logits[0], logits[1] if len(logits) > 1 else None)
